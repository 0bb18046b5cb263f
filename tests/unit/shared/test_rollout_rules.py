"""The rules of a rollout: canary steps, when one is bad, and why a deployment failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.azure.seen import Served
from shared.endpoints import canary, causes
from shared.endpoints.rollout import _without
from shared.errors import RejectedError
from shared.lifecycle.begin import _asked

shares = st.integers(1, 100)


@given(shares)
def test_live_traffic_sums_to_a_hundred_at_every_step(share: int) -> None:
    traffic, mirror = canary.Step(share).traffic("new", "old")
    assert sum(traffic.values()) == 100 and mirror == {} and all(traffic.values())
    traffic, mirror = canary.Step(share, mirror=True).traffic("new", "old")
    assert (traffic, mirror) == ({"old": 100}, {"new": share})


@given(st.dictionaries(st.sampled_from("abcd"), shares, min_size=1))
def test_whoever_leaves_takes_no_traffic_along(traffic: dict[str, int]) -> None:
    name, *rest = traffic
    found = _without(traffic, name)
    assert name not in found
    assert sum(found.values()) == (100 if rest else 0)


def test_the_steps_are_the_mirror_s_and_then_the_canary_s() -> None:
    assert canary.steps({}) == [] == canary.steps({"canary": None, "mirror": None})
    assert canary.steps({"canary": [10, 100], "mirror": 20}) == [
        canary.Step(20, mirror=True),
        canary.Step(10),
        canary.Step(100),
    ]


@pytest.mark.parametrize(
    ("new", "stable", "repeated", "sent", "told"),
    [
        (Served(), Served(), 0, 0.0, ""),
        (Served(100, 1), Served(900, 0), 0, 0.0, ""),
        (Served(10, 2), Served(90, 0), 0, 0.0, "2 of its 10 answers failed, 0% of the stable deployment's"),
        (Served(10, 2), Served(90, 30), 0, 0.0, ""),
        (Served(100, 5), Served(900, 0), 0, 0.0, ""),
        (Served(100, 6), Served(900, 0), 0, 0.0, "6 of its 100 answers failed, 0% of the stable deployment's"),
        (Served(), Served(), 2, 10.0, "2 of its about 10 answers failed and were given by the stable deployment"),
        (Served(), Served(), 2, 0.0, "2 of its about 2 answers failed and were given by the stable deployment"),
        (Served(), Served(), 2, 100.0, ""),
        (
            Served(9, 0, 3000.0),
            Served(9, 0, 1000.0),
            0,
            0.0,
            "it takes 3000 ms an answer, the stable deployment 1000 ms",
        ),
        (Served(9, 0, 500.0), Served(9, 0, 100.0), 0, 0.0, ""),
        (Served(4, 0, 3000.0), Served(9, 0, 1000.0), 0, 0.0, ""),
    ],
)
def test_a_canary_is_bad_where_it_fails_more_or_is_much_slower(
    new: Served, stable: Served, repeated: int, sent: float, told: str
) -> None:
    assert canary.wrong(new, stable, repeated, sent) == told


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_a_canary_that_fails_no_more_than_the_stable_one_stays(requests: int, failed: int, more: int) -> None:
    new = Served(requests + failed, failed)
    assert canary.wrong(new, Served(new.requests, min(new.requests, failed + more))) == ""


def test_every_code_has_words_and_a_mend_and_few_pass() -> None:
    assert all(found.told and found.fix for found in causes.CAUSES.values())
    passing = {code for code, found in causes.CAUSES.items() if found.passes}
    assert passing == {"OperationCanceled", "OutOfCapacity", "InternalServerError"}


def test_a_failed_deployment_is_told_in_plain_words_with_code_message_and_log() -> None:
    message = "User container has crashed: CUDA out of memory. Please see troubleshooting guide, available here: x"
    error = causes.failure("r-1", "ResourceNotReady", message, "OutOfMemoryError")
    assert error.reason == (
        "the deployment r-1 failed: the model's container crashed or never answered its probes (ResourceNotReady: "
        "User container has crashed: CUDA out of memory); its log ends: OutOfMemoryError"
    )
    assert "more memory" in error.fix and not isinstance(error, causes.PassingFailureError)
    unknown = causes.failure("r-1", "", "", "")
    assert unknown.reason == "the deployment r-1 failed: it could not be made"
    assert isinstance(causes.failure("r-1", "OperationCanceled", "", ""), causes.PassingFailureError)


def test_a_deployment_that_is_refused_at_once_says_the_same() -> None:
    quota = causes.refused(RejectedError("could not deploy: (OutOfQuota) Not enough quota", status=400))
    assert quota.reason.startswith("the subscription has no quota left") and "Not enough quota" in quota.reason
    assert not isinstance(quota, causes.PassingFailureError)
    full = causes.refused(RejectedError("could not deploy: (OutOfQuota) there is not enough capacity", status=400))
    assert isinstance(full, causes.PassingFailureError)
    other = RejectedError("could not deploy: no")
    assert causes.refused(other) is other


def test_what_droptune_toml_learnt_later_changes_no_run_s_id_where_it_is_not_said() -> None:
    first = {"eval_loss_at_most": None}
    assert _asked({**first, "better_than_live": None, "chrf_at_least": None}) == first
    assert _asked({**first, "better_than_live": True}) == {**first, "better_than_live": True}
    assert _asked("gpu-cluster") == "gpu-cluster"
