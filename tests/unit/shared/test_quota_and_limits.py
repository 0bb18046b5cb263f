"""Quota, sizes, roles and limits before money (issue 7, points 6 and 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.azure import outside as where
from shared.azure import roles
from shared.azure.gateways import Outside
from shared.azure.seen import Size, Usage
from shared.errors import DeniedError, TransientError, UserError
from shared.lifecycle import permissions
from shared.training import limits, offer, quota
from shared.training.base_model import BaseModel
from shared.training.compute import Cluster

NC24, NC48, T4 = "Standard_NC24ads_A100_v4", "Standard_NC48ads_A100_v4", "Standard_NC4as_T4_v3"
A100, TOTAL = "Standard NCADSA100v4 Family Cluster Dedicated vCPUs", quota.TOTAL
SIZES = [
    Size(NC24, "standardNCADSA100v4Family", 24, 1),
    Size(NC48, "standardNCADSA100v4Family", 48, 2),
    Size(T4, "standardNCASv3_T4Family", 4, 1),
    Size("Standard_NC6s_v3", "standardNCSv3Family", 6, 1),
    Size("Standard_DS3_v2", "standardDSv2Family", 4, 0),
]
LISTED = f"['{NC24}', '{NC48}', 'Standard_ND96asr_v4', 'Standard_NC6s_v3']"
MODEL = BaseModel("id", "Phi-4", "8", {f"{use}_compute_allow_list": LISTED for use in ("finetune", "inference")}, {})
ANY = BaseModel("id", "mine", "1", {}, {})


class Region:
    """The computes of a workspace: sizes and usages, or the error that asking meets."""

    def __init__(self) -> None:
        self.known: list[Size] = SIZES
        self.used: list[Usage] = []
        self.fails: dict[str, Exception] = {}
        self.asked: list[str] = []
        self.memory: dict[str, Any] = {}
        self.computes = self.jobs = self.online = self

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if what in self.fails:
            raise self.fails[what]

    def sizes(self) -> list[Size]:
        self._answer("sizes")
        return self.known

    def usages(self) -> list[Usage]:
        self._answer("usages")
        return self.used

    def find(self, name: str) -> None:
        self._answer(f"find {name}")


@pytest.fixture
def region() -> Iterator[Region]:
    made, before = Region(), where.outside()
    where.use(cast(Outside, made))
    yield made
    where.use(before)


def cluster(size: str = NC24, nodes: int = 1, **rest: Any) -> Cluster:
    return Cluster("gpu", size, nodes, 1, **rest)


def refused(region: Region, *usages: Usage, by: Cluster | None = None, serves: str = NC24) -> UserError | None:
    """What is told of a job that takes all nodes of its cluster."""
    region.used, on = list(usages), by or cluster()
    try:
        quota.check(MODEL, on, on.nodes, serves)
    except UserError as error:
        return error
    return None


def test_enough_quota_says_nothing(region: Region) -> None:
    region.used = [Usage(A100, 0, 24)]
    assert quota.check(MODEL, cluster(), 1, NC24) == ""


def test_missing_cores_are_told_with_numbers_and_a_way_to_mend_it(region: Region) -> None:
    told = refused(region, Usage(A100, 10, 30))
    assert told is not None
    assert told.reason == (
        f"training on 1 x {NC24} needs 24 cores of {A100}, and 20 are free (10 of 30 are in use): 4 are missing"
    )
    assert "az ml compute list-usage" in told.fix
    assert "https://ml.azure.com" in told.fix


def test_a_quota_of_nothing_is_what_everybody_begins_with(region: Region) -> None:
    told = refused(region, Usage("standardNCADSA100v4Family", 0, 0))
    assert told is not None
    assert "24 are missing" in told.reason


def test_nodes_that_the_cluster_holds_already_are_not_asked_for_again(region: Region) -> None:
    assert refused(region, Usage(A100, 24, 24), by=cluster(held=1)) is None
    told = refused(region, Usage(A100, 24, 24), by=cluster(nodes=2, held=1))
    assert told is not None
    assert "24 are missing" in told.reason


def test_a_large_cluster_needs_cores_for_the_jobs_nodes_only(region: Region) -> None:
    region.used = [Usage(A100, 0, 24)]
    assert quota.check(MODEL, cluster(nodes=9), 1, NC24) == ""
    with pytest.raises(UserError, match="24 are missing"):
        quota.check(MODEL, cluster(nodes=9), 2, NC24)


def test_more_nodes_than_the_cluster_ever_has_are_refused(region: Region) -> None:
    with pytest.raises(UserError, match=r"2 nodes \(num_nodes_finetune\), and the compute 'gpu' has 1"):
        quota.check(MODEL, cluster(), 2, NC24)


def test_the_deployment_is_checked_too_and_finds_free_what_the_cluster_gives_back(region: Region) -> None:
    told = refused(region, Usage(A100, 0, 24), serves=NC48)
    assert told is not None
    assert "the deployment" in told.reason
    assert "48 cores" in told.reason
    assert refused(region, Usage(A100, 48, 72), by=cluster(nodes=2, held=2), serves=NC48) is None
    told = refused(region, Usage(A100, 48, 72), by=cluster(nodes=2, held=2, least=2), serves=NC48)
    assert told is not None, "a cluster that never shrinks gives nothing back"


def test_the_whole_regions_limit_counts_as_well(region: Region) -> None:
    told = refused(region, Usage(A100, 0, 100), Usage(TOTAL, 90, 100))
    assert told is not None
    assert TOTAL in told.reason


def test_a_low_priority_cluster_needs_none_of_the_familys_quota(region: Region) -> None:
    region.used = [Usage(A100, 0, 23), Usage("standard NCASv3_T4 Family", 0, 8)]
    assert quota.check(replace(MODEL, tags={}), cluster(dedicated=False), 1, T4) == ""
    with pytest.raises(UserError, match="the deployment"):
        quota.check(MODEL, cluster(dedicated=False), 1, NC24)


def test_a_limit_of_minus_one_is_none(region: Region) -> None:
    assert refused(region, Usage(A100, 500, -1)) is None


@given(st.integers(1, 200))
def test_the_reserve_is_rounded_as_azure_rounds(instances: int) -> None:
    assert quota.reserved("Standard_DS3_v2", instances) == -(-12 * instances // 10)
    assert quota.reserved(NC24, instances) == instances, "the A100 sizes are exempt"


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 4), st.integers(1, 4))
def test_a_run_is_refused_exactly_where_cores_are_missing(used: int, limit: int, held: int, nodes: int) -> None:
    region, before = Region(), where.outside()
    where.use(cast(Outside, region))
    try:
        told = refused(region, Usage(A100, used, limit), by=cluster(nodes=nodes, held=held))
    finally:
        where.use(before)
    trains = 24 * max(0, nodes - held) > max(0, limit - used)
    serves = max(0, limit - max(0, used - 24 * held)) < 24
    assert (told is not None) == (trains or serves)


def test_what_may_not_be_seen_stops_no_run_and_is_told(region: Region) -> None:
    region.fails = {"usages": DeniedError("could not list the compute usage: no", "", 403)}
    told = quota.check(MODEL, cluster(), 1, NC24)
    assert told.startswith("quota was not checked: could not list the compute usage")
    assert "locations/*/read" in told
    region.fails = {"sizes": DeniedError("could not list the compute sizes: no", "", 403)}
    assert "not checked" in quota.check(MODEL, cluster(), 1, NC24)


def test_what_passes_by_itself_is_no_permission_to_go_on(region: Region) -> None:
    region.fails = {"usages": TransientError("busy", status=503)}
    with pytest.raises(TransientError):
        quota.check(MODEL, cluster(), 1, NC24)


def test_a_family_that_azure_does_not_list_is_told(region: Region) -> None:
    assert "standardNCADSA100v4Family" in quota.check(MODEL, cluster(), 1, NC24)


def test_a_size_that_the_region_lacks_is_refused_with_those_of_the_list_that_it_has(region: Region) -> None:
    told = refused(region, serves="Standard_ND96asr_v4")
    assert told is not None
    assert "does not offer Standard_ND96asr_v4" in told.reason
    assert told.fix == f"use one of {NC24}, {NC48}"


def test_a_retired_size_is_refused_though_the_region_and_the_model_list_it(region: Region) -> None:
    told = refused(region, serves="STANDARD_NC6S_V3")
    assert told is not None
    assert "retired" in told.reason
    assert "NC6s_v3" not in told.fix


def test_a_deployment_on_a_size_that_is_not_the_models_is_refused_before_the_training(region: Region) -> None:
    told = refused(region, serves=T4)
    assert told is not None
    assert told.field == "deploy.instance_type"
    assert "not on the base model's list" in told.reason
    region.used = []
    quota.check(ANY, cluster(), 1, T4)


def test_where_nothing_of_the_list_is_offered_another_region_is_named(region: Region) -> None:
    region.known = []
    told = refused(region)
    assert told is not None
    assert "a region that offers" in told.fix
    assert "nc6s_v3" not in told.fix


def test_sizes_are_asked_for_once_and_usages_each_time(region: Region) -> None:
    region.used = [Usage(A100, 0, 100)]
    for _ in range(3):
        quota.check(MODEL, cluster(), 1, NC24)
    assert region.asked.count("sizes") == 1
    assert region.asked.count("usages") == 3


@pytest.mark.parametrize("size", ["Standard_NC6", "standard_nc24r", "Standard_NC24rs_v3", "Standard_NC12_Promo"])
def test_old_gpu_sizes_are_known_as_retired(size: str) -> None:
    assert offer.retired(size)


@pytest.mark.parametrize("size", [NC24, T4, "Standard_ND40rs_v2", "Standard_ND96asr_v4", "Standard_NC40ads_H100_v5"])
def test_sizes_that_are_in_service_are_not(size: str) -> None:
    assert not offer.retired(size)


@pytest.mark.parametrize(("call", "name"), [("find gpu", "computes"), (f"find {permissions.NOBODY}", "jobs")])
def test_a_missing_role_is_named_with_the_command_that_gives_it(region: Region, call: str, name: str) -> None:
    region.fails = {call: DeniedError("could not look: AuthorizationFailed", "", 403)}
    with pytest.raises(DeniedError, match="AuthorizationFailed") as caught:
        permissions.check("gpu")
    assert caught.value.fix == roles.told(name)
    assert caught.value.status == 403
    assert "az role assignment create" in caught.value.fix


def test_a_yes_is_remembered_and_a_no_is_not(region: Region) -> None:
    region.fails = {"find gpu": DeniedError("no", "", 403)}
    for _ in range(2):
        with pytest.raises(DeniedError):
            permissions.check("gpu")
    region.fails = {}
    permissions.check("gpu")
    permissions.check("gpu")
    assert region.asked == [f"find {permissions.NOBODY}"] * 2 + ["find gpu"] * 3


def test_every_grant_stands_in_the_page_of_roles() -> None:
    page = (Path(__file__).parents[3] / "docs/permissions.md").read_text(encoding="utf-8")
    for grant in roles.GRANTS.values():
        assert f"| {grant.call} | `{grant.permission}` |" in page
        assert grant.role.removesuffix(" with that permission") in page


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_a_job_has_outlived_its_limit_only_after_it_and_never_without_one(lasted: float, limit: float) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    now = began + timedelta(seconds=lasted)
    assert limits.outlived(began, now, limit) == (limit > 0 and now - began > timedelta(seconds=limit))
    assert not limits.outlived(now, began, limit or 1), "a clock that went back ends no job"


@pytest.mark.parametrize(
    ("seconds", "words"), [(86400, "24 hours"), (172800, "2 days"), (90, "1.5 minutes"), (9, "9 s")]
)
def test_a_limit_is_told_in_words(seconds: float, words: str) -> None:
    reason, fix = limits.too_long("droptune-x-1", seconds)
    assert f"{words}" in reason
    assert "DROPTUNE_JOB_TIMEOUT" in fix


def test_so_many_attempts_and_not_one_more() -> None:
    assert [limits.spent(attempt, 5) for attempt in (1, 5, 6)] == [False, False, True]
    assert "5 attempts" in limits.too_often(5)[0]
