"""Random schedules, the sweep of single faults and the planted bugs, in as many as a minute's patience allows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.simulation import checker
from tests.simulation.many import run_many
from tests.simulation.mutants import MUTANTS, catch_all
from tests.simulation.sweep import sweep

SEEDS = 2000  # `make simulate` runs 10,000
EVERY = 5  # and every case of the sweep, not each fifth
SHOWN = (*range(1, 19), 20, 21, 22, 23, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 40, 41, 42, 43, 44, 45)


def test_random_schedules_of_faults_violate_nothing_and_come_to_rest() -> None:
    figures = run_many(1, SEEDS, 2)
    assert not figures.failed, figures.told()
    assert figures.schedules == SEEDS


def test_every_single_fault_ends_as_no_fault_does_or_with_a_clear_no() -> None:
    ends = sweep(2, each=1, every=EVERY)
    assert ends.cases > 500
    assert not ends.failed, ends.told()


def test_every_planted_bug_is_caught() -> None:
    missed = [name for name, found in catch_all(2) if found is None]
    assert len(MUTANTS) >= 20
    assert not missed


@pytest.mark.parametrize("seed", ["3"])
def test_a_seed_replays_to_the_same_steps(seed: str) -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seed", seed]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=False).stdout for _ in range(2))
    assert len(first.splitlines()) > 100
    assert first == second


def test_the_invariants_that_a_simulation_can_show_have_a_check() -> None:
    assert sorted(set(SHOWN) - set(checker.table())) == []
