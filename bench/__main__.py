"""Measure everything in a box of its own and print the table; 1 where a promise is not kept here."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bench import (
    datasets,
    dropped,
    emulator,
    generation,
    idle,
    imports,
    memory,
    package,
    pii,
    push,
    runs,
    scoring,
    transport,
    waking,
)
from bench.row import Row
from local.box import config, control

SETTINGS = {"DROPTUNE_IDLE_AFTER": "10m"}
REST_SECONDS = 5.0


def rows(home: Path) -> Iterator[Row]:
    """Measure, one promise after the other."""
    yield imports.measure()
    yield from package.measure()
    yield pii.measure()
    yield from idle.measure()
    yield from datasets.measure()
    yield from emulator.measure()
    yield _up(home, "box up, first time in a home")
    control.down(home)
    yield _up(home, "box up, again")
    os.environ.update(control.environment(home))
    time.sleep(REST_SECONDS)
    yield memory.at_rest(home)
    yield memory.deployment(home)
    eventgrid = config.load(home).url("eventgrid")
    yield push.measure(control.log_path(home, "functions"), eventgrid)
    yield from transport.measure()
    yield from scoring.measure()
    yield from generation.measure(home)
    yield waking.measure()
    yield dropped.measure()
    yield from runs.measure(eventgrid)


def _up(home: Path, what: str) -> Row:
    began = time.monotonic()
    control.up(home, settings=SETTINGS)
    return Row(what, 10, time.monotonic() - began, "s", "until every service is healthy and set up")


def _show(found: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "target", "measured", "", "how", box=None, pad_edge=False)
    for row in found:
        mark = "[green]✔[/]" if row.kept else "[red]✘[/]"
        table.add_row(row.what, row.promise, f"{row.measured:.3g} {row.unit}", mark, row.note)
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; the way from a clone is timed by hand")


def _print(found: list[Row], as_json: bool) -> None:
    """What was measured, also where something later failed."""
    if as_json:
        print(json.dumps([{**asdict(row), "kept": row.kept} for row in found], ensure_ascii=False, indent=2))
    else:
        _show(found)


def main() -> int:
    """Measure and print; the box and its home are gone afterwards."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    as_json = parser.parse_args().json
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the box goes down with us
    found: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="droptune-bench-") as folder:
        home = Path(folder) / "box"
        try:
            for row in rows(home):
                print(f"{row.what}: {row.measured:.3g} {row.unit}", file=sys.stderr, flush=True)
                found.append(row)
        finally:
            control.down(home)
            _print(found, as_json)
    return 0 if all(row.kept for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
