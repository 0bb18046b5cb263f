"""Whoever may drop a file may not name where we call, where we write, or what is billed beyond the operator's word."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.config import Config, parse
from shared.datasets.findings import Finding
from shared.datasets.paths import bad_name, place
from shared.lifecycle import notify, patience
from shared.runs.identity import endpoint_name
from shared.settings import settings

AZURES = re.compile(r"[a-z]([a-z0-9-]{1,30})[a-z0-9]")  # endpoints: 3 to 32 characters (AZURE_FACTS)
PATHS = st.lists(st.text("abZ09._-%/\\~: é\0\n", min_size=0, max_size=12), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    "text",
    [
        'webhook = "https://example.com"',
        '[notify]\nurl = "https://example.com"',
        '[deploy]\nscoring_uri = "https://example.com"',
        '[deploy]\negress = "x"',
    ],
)
def test_no_address_but_a_webhook_can_be_named(text: str) -> None:
    config, found = parse(text.encode())
    assert config == Config()
    assert [one.code for one in found] == ["config_unknown_key"]


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An operator who lists some hosts."""
    monkeypatch.setenv("DROPTUNE_WEBHOOK_HOSTS", "hooks.slack.com,*.webhook.office.com")
    monkeypatch.setenv("DROPTUNE_WEBHOOK_PRIVATE_HOSTS", "chat.corp.example:8443")
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


def refusal(address: str) -> tuple[list[Finding], bytes]:
    """What is said of a `droptune.toml` that names a webhook, when it is dropped."""
    data = f'[checks]\npii = "warn"\n[notify]\nwebhook = "{address}"\n'.encode()
    config, found = parse(data)
    return found or notify.refused(config, data), data


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/services/T0/B0/x",
        "https://acme.webhook.office.com/x",
        "https://chat.corp.example:8443/x",
    ],
)
def test_a_webhook_on_a_listed_host_is_taken(operator: pytest.MonkeyPatch, address: str) -> None:
    assert refusal(address)[0] == []


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/SECRET",
        "https://hooks.slack.com:8443/SECRET",
        "https://chat.corp.example/SECRET",
        "https://169.254.169.254/SECRET",
        "https://localhost/SECRET",
        "http://hooks.slack.com/SECRET",
        "https://me:SECRET@hooks.slack.com/",
        "https://hooks.slack.com#SECRET",
    ],
)
def test_any_other_webhook_is_refused_with_line_and_mend_and_without_its_path(
    operator: pytest.MonkeyPatch, address: str
) -> None:
    (found,), data = refusal(address)
    assert (found.severity, found.file, found.line, found.field) == ("error", "droptune.toml", 4, "notify.webhook")
    assert "SECRET" not in found.message + found.fix
    assert b"SECRET" in data


def test_without_a_list_the_mend_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DROPTUNE_WEBHOOK_HOSTS", raising=False)
    settings.cache_clear()
    ((found,), _) = refusal("https://hooks.slack.com/x")
    assert found.fix == "have hooks.slack.com added to DROPTUNE_WEBHOOK_HOSTS"


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
