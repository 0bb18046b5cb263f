"""A bounded storm in every run of the tests: about a minute of what `make chaos` does for half an hour."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.run import Plan, run

SEED = int(os.environ.get("CHAOS_SEED", "3"))


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_hosts_and_services_are_killed_while_calls_fail_and_nothing_is_lost_or_made_twice(tmp_path: Path) -> None:
    plan = Plan(seed=SEED, datasets=3, kills=2, others=1, freezes=0, share=0.1, gap=3.0, rest_within=300.0)
    result = run(tmp_path / "box", plan)
    assert not result.problems, (result.problems, str(result.history))
    assert result.figures["jobs"] >= 1
    assert sum(result.figures["killed"].values()) == plan.kills + plan.others
    assert result.figures["faults fired"] > 0
