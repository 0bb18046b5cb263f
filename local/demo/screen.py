"""What the demo shows: headings with the time, lines, the table of answers."""

from __future__ import annotations

import sys
import time

import click
from rich.box import ROUNDED
from rich.console import Console
from rich.table import Table

from local.demo.questions import Question

_BEGAN = time.monotonic()


def elapsed() -> float:
    """Return the seconds since the demo began."""
    return time.monotonic() - _BEGAN


def heading(text: str) -> None:
    """Begin a part."""
    click.echo("\n" + click.style(f"▌ {text}", bold=True) + click.style(f"  (at {elapsed():.0f} s)", dim=True))


def line(text: str) -> None:
    """Say something."""
    click.echo(f"  {text}")


def good(text: str) -> None:
    """Say what was seen as promised."""
    click.echo("  " + click.style("✔", fg="green") + f" {text}")


def side_by_side(questions: list[Question], tuned: list[str], base: list[str]) -> None:
    """Show expected, tuned and base answers in one table."""
    console = Console(width=None if sys.stdout.isatty() else 110)
    table = Table(box=ROUNDED, show_lines=True, width=min(console.width, 120), highlight=False)
    for title, style in (("question", "bold"), ("expected", ""), ("tuned model", "green"), ("base model", "dim")):
        table.add_column(title, style=style, ratio=1)
    for question, one, other in zip(questions, tuned, base, strict=True):
        table.add_row(question.text, question.expected, _plain(one), _plain(other))
    console.print(table)


def _plain(text: str) -> str:
    shown = " ".join(text.split()).replace("[", "\\[")
    return shown if len(shown) <= 160 else shown[:159] + "…"
