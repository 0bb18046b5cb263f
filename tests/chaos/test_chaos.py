"""Real processes are killed while real calls fail, and the end is as if nothing of that had been."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from tests.chaos.__main__ import told
from tests.chaos.run import Plan, run


@pytest.mark.e2e
@pytest.mark.timeout(400)
def test_killed_hosts_and_failing_calls_change_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(10**6))
    plan = Plan(seed, datasets=4, kills=2, others=1, freezes=0, share=0.1, gap=5, rest_within=200, sleeps=False)
    print(f"chaos, seed {seed} (CHAOS_SEED={seed} plays it again)")
    result = run(tmp_path / "box", plan, print)
    print(told(result))
    assert result.problems == []
    assert result.figures["faults fired"] > 0
    assert sum(result.figures["killed"].values()) == plan.kills + plan.others
