"""Callers whom Azure's own authentication let in."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import gate
from shared.principal import ENABLED, HEADER, Principal, principal, read

OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def _header(claims: list[tuple[str, str]], **more: Any) -> str:
    said = {"auth_typ": "aad", "claims": [{"typ": kind, "val": value} for kind, value in claims], **more}
    return base64.b64encode(json.dumps(said).encode()).decode()


MINE = _header([(OID, "me"), ("roles", "droptune.score"), ("roles", "other.operate"), ("roles", "droptune.read")])


def test_app_roles_are_scopes_where_the_platform_checks_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENABLED, "True")
    headers = {"X-MS-CLIENT-PRINCIPAL": MINE}
    found = gate.caller(headers, {}, "score")
    assert found is not None and (found.id, found.scopes) == ("entra-me", ["read", "score"])
    assert gate.caller(headers, {}, "operate") is None


@pytest.mark.parametrize("value", ["", "False", "no"])
def test_where_the_platform_does_not_the_header_means_nothing(value: str) -> None:
    assert principal({HEADER: MINE}, {ENABLED: value}) is None
    assert principal({HEADER: MINE}, {}) is None


def test_roles_may_have_another_claim_and_nobody_is_nobody() -> None:
    found = read(_header([("appid", "app"), ("my-roles", "droptune.operate")], role_typ="my-roles"))
    assert found is not None and (found.id, found.scopes) == ("app", {"operate"})
    assert read(_header([("roles", "droptune.score")])) is None


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()))
def test_any_header_is_read_or_refused(encoded: str) -> None:
    assert isinstance(read(encoded), Principal | None)
