"""Run azure-ai-ml's own end-to-end tests, live, against the box: `eval "$(droptune box env)"; python -m tests.conformance`.

Nothing is recorded or replayed: a test that passes without one answer from the box is `vacuous`, not passed, and a request
to any other host is refused.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.conformance import cases, results, running, sdk, survey


def options() -> argparse.ArgumentParser:
    """All options; by default the core runs."""
    parser = argparse.ArgumentParser("python -m tests.conformance", description=__doc__)
    parser.add_argument("--group", default="core", choices=["core", "wide", "revived", "all"])
    parser.add_argument("--node", action="append", help="a pytest node id instead of a group; may be repeated")
    parser.add_argument("-k", dest="keyword", help="pytest's -k")
    parser.add_argument("--at-once", type=int, default=4, help="worker processes (default 4)")
    parser.add_argument("--timeout", type=int, default=300, help="seconds that one test may take")
    parser.add_argument("--work", type=Path, default=sdk.WORK, help="environment, sources, logs")
    parser.add_argument("--keep", action="store_true", help="write the results that docs/conformance.md is made from")
    parser.add_argument("--survey", action="store_true", help="count what exists and what could run; needs no box")
    return parser


def main() -> int:
    """The exit code: 0 where all passed but those that `known.toml` explains."""
    arguments = options().parse_args()
    work = arguments.work.resolve()
    python = sdk.install(work)
    if arguments.survey:
        return survey.write(python, work)
    chosen = arguments.node or cases.read(arguments.group)
    rows, seconds = running.run(python, work, chosen, arguments)
    if arguments.keep:
        results.keep(rows, seconds)
    return results.tell(rows, seconds)


if __name__ == "__main__":
    sys.exit(main())
