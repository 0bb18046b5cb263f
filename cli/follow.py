"""Following a run until it rests: its timeline, a progress bar and the loss while it trains."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from cli import api
from shared.errors import TransientError
from shared.runs.records import RUN_RESTS, UPLOAD_RESTS

PAUSE = 0.4
PATIENCE = 60.0
_BLOCKS = "▁▂▃▄▅▆▇█"
_REASONS = {"rejected", "refused", "failed", "withdrawn", "gated_out", "rolled_back"}


def rests(row: dict[str, Any]) -> bool:
    """Whether nothing more happens to a run by itself."""
    return row["state"] in (*RUN_RESTS, *UPLOAD_RESTS, "asleep")


def watch(look: Callable[[], dict[str, Any] | None]) -> Iterator[dict[str, Any]]:
    """The run, again and again, until it rests; a service that is away for a minute is waited for."""
    last_seen = time.monotonic()
    while True:
        try:
            row = look()
            last_seen = time.monotonic()
        except TransientError:
            if time.monotonic() - last_seen > PATIENCE:
                raise
            row = None
        if row is not None:
            yield row
            if rests(row):
                return
        time.sleep(PAUSE)


def show(rows: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Shows a run while it goes on, and returns it as it rests; on a terminal with a live bar, else line by line."""
    shown, last, bar = 0, {}, ""
    live = sys.stderr.isatty()
    for row in rows:
        last = row
        if live and bar:
            click.echo("\r\033[2K", err=True, nl=False)
        for moment in row["timeline"][shown:]:
            click.echo(line(moment, row["timeline"][0]["at"]), err=True)
        shown = len(row["timeline"])
        new = training(row)
        if live:
            click.echo(new, err=True, nl=False)
        elif new and eighth(row) != bar:
            click.echo(new, err=True)
        bar = new if live else eighth(row)
    if live and bar:
        click.echo("\r\033[2K", err=True, nl=False)
    return last


def line(moment: dict[str, Any], began: str) -> str:
    """One line of a timeline, with the seconds since it began."""
    from shared.runs.records import moment as parse

    seconds = (parse(moment["at"]) - parse(began)).total_seconds()
    colour = "red" if moment["state"] in _REASONS else "green"
    return f"  {seconds:7.1f} s  {click.style('●', fg=colour)} {moment['state']:<12} {moment.get('detail', '')}"


def eighth(row: dict[str, Any]) -> str:
    """How far the training is, in eighths: where no terminal redraws the bar, it is printed that often."""
    curve, total = row["metrics"].get("curves", {}).get("loss", []), row["metrics"].get("total_steps")
    return f"{row['state']} {int(8 * curve[-1][0] / total) if curve and total else 0}"


def training(row: dict[str, Any]) -> str:
    """The bar of a run that trains, or nothing."""
    if row["state"] != "submitted":
        return ""
    curve = row["metrics"].get("curves", {}).get("loss", [])
    total = row["metrics"].get("total_steps")
    if not curve:
        return "             … the job is starting"
    done = curve[-1][0]
    share = min(1.0, done / total) if total else 0.0
    filled = round(24 * share)
    steps = f"{done:.0f}/{total:.0f}" if total else f"{done:.0f}"
    bar = "█" * filled + "░" * (24 - filled)
    return f"             {bar} step {steps}  loss {curve[-1][1]:.3f}  {sparkline([value for _, value in curve])}"


def sparkline(values: list[float], width: int = 24) -> str:
    """A curve in one line of text."""
    if len(values) > width:
        values = [values[round(i * (len(values) - 1) / (width - 1))] for i in range(width)]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(_BLOCKS[round((value - low) / span * (len(_BLOCKS) - 1))] for value in values)


def by_id(identity: str) -> Callable[[], dict[str, Any]]:
    """A look at a run whose id is known."""
    return lambda: api.call("GET", "runs", identity)
