"""Run azure-ai-ml's own end-to-end tests, live, against the box: `eval "$(droptune box env)"; python -m tests.conformance`.

Nothing is recorded or replayed: a test that passes without one answer from the box is `vacuous`, not passed, and a request
to any other host is refused.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.conformance import cases, results, running, sdk, survey


def options() -> argparse.ArgumentParser:
    """All options; by default the core runs."""
    parser = argparse.ArgumentParser("python -m tests.conformance", description=__doc__)
    parser.add_argument("--group", default="core", choices=["core", "wide", "revived", "all"])
    parser.add_argument("--node", action="append", help="a pytest node id instead of a group; may be repeated")
    parser.add_argument("-k", dest="keyword", help="pytest's -k")
    parser.add_argument("--at-once", type=int, default=running.AT_ONCE, help="worker processes")
    parser.add_argument("--timeout", type=int, default=running.TIMEOUT, help="seconds that one test may take")
    parser.add_argument("--own-box", action="store_true", help="start a box for this run, and end it afterwards")
    parser.add_argument("--work", type=Path, default=sdk.WORK, help="environment, sources, logs")
    parser.add_argument("--keep", action="store_true", help="write the results that docs/conformance.md is made from")
    parser.add_argument("--survey", action="store_true", help="count what exists and what could run; needs no box")
    return parser


@contextmanager
def own_box(work: Path) -> Iterator[dict[str, str]]:
    """A box with no past; gives the environment that leads to it."""
    from local.box import control

    home = work / "box"
    shutil.rmtree(home, ignore_errors=True)
    control.up(home)
    try:
        yield {**os.environ, **control.environment(home)}
    finally:
        control.down(home)


def main() -> int:
    """The exit code: 0 where all passed but those that `known.toml` explains."""
    arguments = options().parse_args()
    work = arguments.work.resolve()
    python = sdk.install(work)
    if arguments.survey:
        return survey.write(python, work)
    chosen = arguments.node or cases.read(arguments.group)
    with own_box(work) if arguments.own_box else nullcontext(dict(os.environ)) as box:
        rows, seconds = running.run(python, work, chosen, running.Options.of(arguments), box)
    if arguments.keep:
        results.keep(rows, seconds)
    return results.tell(rows, seconds)


if __name__ == "__main__":
    sys.exit(main())
