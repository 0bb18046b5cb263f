"""Real processes killed while real calls fail: `python -m tests.chaos --datasets 100 --kills 10 --faults 0.2`.

A failing run prints its seed, which drops, kills and breaks the same again (at moments that the machine decides), and where
its history lies.
"""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.run import Plan, Result, run

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "chaos.json"


def options() -> argparse.ArgumentParser:
    """All options."""
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument("--datasets", type=int, default=10, help="how many are dropped at once")
    parser.add_argument("--per-folder", type=int, default=1, help="so many of them into each folder")
    parser.add_argument("--kills", type=int, default=10, help="kill -9 of a functions host, of which there are two")
    parser.add_argument("--others", type=int, help="ends of other services besides; half as many when not given")
    parser.add_argument("--freezes", type=int, default=1, help="stops of a functions host past its leases")
    parser.add_argument("--faults", type=float, default=0.1, help="share of the calls that fail")
    parser.add_argument("--gap", type=float, default=4.0, help="mean seconds between two kills")
    parser.add_argument("--seed", type=int, help="of drops, kills and faults; random when not given")
    parser.add_argument("--until-reported", action="store_true", help="calls fail until every dataset has its report")
    parser.add_argument("--within", type=float, default=900, help="seconds that it may take to come to rest")
    parser.add_argument("--figures", action="store_true", help="keep the figures of this run for docs/reliability.md")
    parser.add_argument("--home", type=Path, help="where the box, its logs and the history lie")
    return parser


def main() -> int:
    """The exit code: 0 where the checker found nothing."""
    given = options().parse_args()
    logging.getLogger("azure").setLevel(logging.ERROR)  # what our own client meets in the storm is no news
    plan = Plan(
        seed=given.seed if given.seed is not None else secrets.randbelow(10**6),
        datasets=given.datasets,
        per_folder=given.per_folder,
        kills=given.kills,
        others=given.others if given.others is not None else given.kills // 2,
        freezes=given.freezes,
        share=given.faults,
        gap=given.gap,
        rest_within=given.within,
        until_reported=given.until_reported,
    )
    home = given.home or Path(tempfile.mkdtemp(prefix="droptune-chaos-")) / "box"
    print(f"seed {plan.seed}; box, logs and history in {home}", flush=True)
    began = time.monotonic()
    result = run(home, plan, lambda text: print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True))
    print(told(result))
    if given.figures:
        document = {"plan": vars(plan), "problems": result.problems, "figures": result.figures}
        FIGURES.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if result.problems else 0


def told(result: Result) -> str:
    """The figures, and what is wrong."""
    lines = [f"{name:<24} {json.dumps(value)}" for name, value in result.figures.items()]
    if result.problems:
        lines += [f"WRONG: {problem}" for problem in result.problems]
        lines += [f"again: python -m tests.chaos --seed {result.plan.seed} …; what happened: {result.history}"]
    return "\n".join([*lines, f"{len(result.problems)} violations"])


if __name__ == "__main__":
    sys.exit(main())
