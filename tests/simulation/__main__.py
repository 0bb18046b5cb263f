"""`python -m tests.simulation --seed N` replays one seed; `--seeds N` runs so many; `--invariants` lists what is shown."""

from __future__ import annotations

import argparse
import os
import sys


def main() -> int:
    """Parses, and runs one thing."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay one seed, step by step")
    parser.add_argument("--seeds", type=int, help="run so many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--webhooks", action="store_true", help="in these seeds folders name webhooks")
    parser.add_argument("--sweep", action="store_true", help="every call of the fault-free story with every fault")
    parser.add_argument("--each", type=int, default=2, help="of calls that are the same in the same step, so many")
    parser.add_argument("--case", nargs=2, metavar=("CALL", "FAULT"), help="replay one case of the sweep")
    parser.add_argument("--mutants", action="store_true", help="every planted bug must be caught")
    parser.add_argument("--figures", action="store_true", help="keep the figures of this run for docs/reliability.md")
    parser.add_argument("--invariants", action="store_true", help="which check shows which invariant")
    given = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets of texts in their order too: a seed is all there is
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    if given.invariants:
        from tests.simulation import checker

        for number, names in checker.table().items():
            print(f"{number:3} {', '.join(names)}")
        return 0
    if given.seed is not None:
        return _replay(given.seed, given.webhooks)
    if given.case:
        return _case(int(given.case[0]), given.case[1])
    if given.mutants:
        return _mutants(given.processes)
    return _all(given)


def _all(given: argparse.Namespace) -> int:
    from tests.simulation import figures
    from tests.simulation.many import run_many
    from tests.simulation.sweep import sweep

    wanted = given.first, given.seeds or 1000, given.processes, given.webhooks
    many = run_many(*wanted) if given.seeds or not given.sweep else None
    ends = sweep(given.processes, given.each) if given.sweep else None
    hooked = run_many(1, max(1, many.schedules // 5), given.processes, True) if given.figures and many else None
    for part in (many, hooked, ends):
        if part is not None:
            print(part.told())
    if many is not None and hooked is not None:
        many.join(hooked)
    if given.figures and many is not None and ends is not None:
        figures.write(many, ends)
    return 1 if (many and many.failed) or (ends and ends.failed) else 0


def _mutants(processes: int) -> int:
    from tests.simulation.mutants import catch_all

    missed = 0
    for name, found in catch_all(processes):
        missed += found is None
        print(f"{name}: {f'seed {found.seed}: {found.told[:150]}' if found else 'NOT CAUGHT'}")
    return 1 if missed else 0


def _replay(seed: int, webhooks: bool) -> int:
    from tests.simulation.schedules import run
    from tests.simulation.setting import production

    with production(stubbed=True):
        outcome = run(seed, print, webhooks)
    print(f"seed {seed}: {outcome.steps} steps, {outcome.calls} calls: {outcome.violation or 'no violation'}")
    return 1 if outcome.violation else 0


def _case(index: int, fault: str) -> int:
    from tests.simulation.setting import production
    from tests.simulation.sweep import end, judge, simulate

    with production():
        told, other, _ = judge(index, fault, end(simulate({})), print)
    print(told or ("a clear no" if other else "the same end"))
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
