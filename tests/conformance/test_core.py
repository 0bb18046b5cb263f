"""The SDK's own end-to-end tests that our flow needs, against a box of their own: 45 s on two cores, all of them, in `make test`.

`make conformance` runs everything that can run at all. The first run makes the SDK's environment (about a minute).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance import cases, results, running, sdk
from tests.conformance.__main__ import own_box


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    python = sdk.install(sdk.WORK)
    with own_box(sdk.WORK) as box:
        return running.run(python, sdk.WORK, cases.read("core"), running.Options(), box)[0]


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_the_core_passes_but_for_what_is_explained(rows: list[dict[str, Any]]) -> None:
    told = {row["test"]: results.reason(row) for row in rows if row["verdict"] not in ("passed", "known")}
    assert told == {}
    assert len(rows) == len(cases.read("core"))


@pytest.mark.stack
def test_what_is_explained_still_fails(rows: list[dict[str, Any]]) -> None:
    known = set(cases.known()) & set(cases.read("core"))
    assert {row["test"] for row in rows if row["verdict"] == "known"} == known
