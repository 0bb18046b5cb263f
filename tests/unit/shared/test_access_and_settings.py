"""The gate of the HTTP functions, and the operator's settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared import access
from shared.errors import NotFoundError, SettingsError
from shared.settings import AUTO, Settings, missing, parse_duration, read


class MemoryStore:
    """The container `access`, in memory."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def read(self, path: str) -> tuple[bytes, str]:
        if path not in self.blobs:
            raise NotFoundError(f"there is no {path}")
        return self.blobs[path], "etag"

    def write(self, path: str, data: bytes) -> str:
        self.blobs[path] = data
        return "etag"


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    access._CACHE.clear()
    yield MemoryStore()
    access._CACHE.clear()


def test_a_key_opens_its_scopes_and_no_others(store: MemoryStore) -> None:
    key = access.make_key(store, frozenset({"score"}), "acme")
    assert access.opened(store, key, "score") is not None
    assert access.opened(store, key, "operate") is None


def test_the_secret_is_not_stored(store: MemoryStore) -> None:
    key = access.make_key(store, frozenset({"score"}), "acme")
    secret = key.split("-", 2)[2].encode()
    assert all(secret not in data for data in store.blobs.values())


def test_wrong_unknown_and_malformed_keys_are_refused(store: MemoryStore) -> None:
    key = access.make_key(store, frozenset({"score"}), "acme")
    other = access.make_key(store, frozenset({"score"}), "other")
    mixed = key[:12] + other[12:]
    for wrong in (mixed, key + "x", key[:-1], "dt-00000000-" + "a" * 40, "", "dt-", "../keys", key + "\n"):
        assert access.opened(store, wrong, "score") is None


def test_a_key_made_a_moment_after_it_was_refused_is_known_at_once(store: MemoryStore) -> None:
    key = access.make_key(MemoryStore(), frozenset({"read"}), "acme", "s" * 40)
    assert access.opened(store, key, "read") is None
    assert access.make_key(store, frozenset({"read"}), "acme", "s" * 40) == key
    assert access.opened(store, key, "read") is not None


def test_an_unknown_scope_is_refused(store: MemoryStore) -> None:
    with pytest.raises(ValueError, match="unknown scopes"):
        access.make_key(store, frozenset({"root"}), "acme")
    assert not store.blobs


@pytest.mark.parametrize(
    ("headers", "query", "told"),
    [
        ({"X-Functions-Key": "k"}, {}, "k"),
        ({}, {"code": "k"}, "k"),
        ({"Authorization": "Bearer k"}, {}, "k"),
        ({"authorization": "bearer  k "}, {}, "k"),
        ({"api-key": "k"}, {}, "k"),
        ({}, {}, ""),
    ],
)
def test_a_key_may_come_in_four_ways(headers: dict[str, str], query: dict[str, str], told: str) -> None:
    assert access.presented(headers, query) == told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DROPTUNE_IDLE_AFTER", "soon"),
        ("DROPTUNE_SETTLE", "30"),
        ("DROPTUNE_SWEEP", "-1h"),
        ("DROPTUNE_METRICS_LAG", "5 minutes"),
        ("DROPTUNE_MAX_COST_USD", "inf"),
        ("DROPTUNE_MAX_COST_USD", "nan"),
        ("DROPTUNE_MAX_COST_USD", "0"),
        ("DROPTUNE_MAX_FILE_MB", "0"),
        ("DROPTUNE_COMPUTE_NODES", "1.5"),
    ],
)
def test_a_bad_variable_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read({name: value})
    assert name in caught.value.reason
    assert value in caught.value.reason
    assert name in caught.value.fix


def test_settings_have_defaults_and_empty_variables_are_none() -> None:
    assert read({}) == read({"DROPTUNE_POLL": ""}) == Settings()
    assert read({"DROPTUNE_IDLE_AFTER": "auto"}).idle_after == AUTO
    assert read({"DROPTUNE_IDLE_AFTER": "0"}).idle_after == 0
    assert read({"DROPTUNE_ALLOW_INPUTS": "a, b,"}).allowed_inputs == {"a", "b"}


def test_durations_have_units() -> None:
    assert [parse_duration(text) for text in ("90s", "30m", "2h", "7d", "0", "0.5s")] == [
        90,
        1800,
        7200,
        604800,
        0,
        0.5,
    ]


def test_what_nothing_works_without_is_named() -> None:
    assert "AZURE_STORAGE_ACCOUNT_URL" in missing(Settings())
    assert missing(Settings("s", "g", "w", account_url="a", queue_url="q")) == []
