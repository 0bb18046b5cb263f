"""Whoever may drop a file may not name where we call, where we write, or what is billed beyond the operator's word."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.config import Config, parse
from shared.datasets.paths import bad_name, place
from shared.lifecycle import patience
from shared.runs.identity import endpoint_name

AZURES = re.compile(r"[a-z]([a-z0-9-]{1,30})[a-z0-9]")  # endpoints: 3 to 32 characters (AZURE_FACTS)
PATHS = st.lists(st.text("abZ09._-%/\\~: é\0\n", min_size=0, max_size=12), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    "text",
    [
        '[notify]\nwebhook = "https://169.254.169.254/latest"',
        'webhook = "https://example.com"',
        '[deploy]\nscoring_uri = "https://example.com"',
        '[deploy]\negress = "x"',
    ],
)
def test_no_address_can_be_named(text: str) -> None:
    config, found = parse(text.encode())
    assert config == Config()
    assert [one.code for one in found] == ["config_unknown_key"]


@given(PATHS)
def test_a_path_means_a_plain_name_or_nothing(path: str) -> None:
    found = place(path)
    if found is not None and bad_name(found.name) is None:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", found.name)


@pytest.mark.parametrize("name", ["..", ".", "", "../x", "a/b", "a\\b", "-a", ".a", "a b", "a\0", "a\n", "%2e%2e", "é"])
def test_names_that_would_lead_elsewhere_are_refused_with_a_proposal(name: str) -> None:
    proposal = bad_name(name)
    assert proposal
    assert bad_name(proposal) is None


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", fullmatch=True))
def test_every_name_makes_an_endpoint_that_azure_takes(name: str) -> None:
    assert AZURES.fullmatch(endpoint_name(name, "/subscriptions/s/workspaces/w"))


@pytest.mark.parametrize(
    ("own", "operators", "taken"),
    [
        ("10m", 1800.0, 600.0),
        ("2h", 1800.0, 1800.0),
        ("0", 1800.0, 1800.0),
        ("auto", 1800.0, 1800.0),
        (None, 1800.0, 1800.0),
        ("0", 0.0, 0.0),
        ("2h", 0.0, 7200.0),
    ],
)
def test_the_idle_window_may_be_shortened_never_lengthened(own: str | None, operators: float, taken: float) -> None:
    assert patience.resolve(own, operators)[1] == taken
