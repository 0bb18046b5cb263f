"""`droptune check`: the same rules as in the cloud, offline."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli.output import NO, USAGE, document, json_option, say

CHUNK = 1 << 20


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A droptune.toml.")
@json_option
def check(files: tuple[Path, ...], config: Path | None, as_json: bool) -> None:
    """Check datasets offline. Exit code 0 only if all are accepted."""
    accepted = True
    for file in files:
        if not file.is_file():
            say(f"there is no file {file}")
            sys.exit(USAGE)
        verdict = judge(file, config)
        accepted = accepted and bool(verdict["accepted"])
        document(verdict) if as_json else _show(file, verdict)
    sys.exit(0 if accepted else NO)


def judge(file: Path, config: Path | None) -> dict[str, Any]:
    """The verdict on a file as `--json` prints it."""
    from shared.datasets.check import check as check_dataset
    from shared.datasets.config import Config, parse

    chosen, wrong = parse(config.read_bytes()) if config else (Config(), [])
    with tempfile.TemporaryDirectory(prefix="droptune-") as scratch:
        verdict = check_dataset({"dataset": _chunks(file)}, chosen, wrong, Path(scratch))
    return verdict.as_json()


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _show(file: Path, verdict: dict[str, Any]) -> None:
    mark = click.style("accepted", fg="green") if verdict["accepted"] else click.style("rejected", fg="red")
    click.echo(f"{file}: {mark}, {verdict['rows']} rows, {verdict['findings_total']} findings")
    for finding in verdict["findings"]:
        place = f"{finding['file'] or file}:{finding['line'] or ''}"
        colour = "red" if finding["severity"] == "error" else "yellow"
        field = f" {finding['field']}:" if finding["field"] else ""
        click.echo(f"  {place}{field} {click.style(finding['message'], fg=colour)} ({finding['code']})")
        click.echo(f"      {finding['fix']}")
    counts = verdict["counts"]
    if verdict["accepted"]:
        click.echo(
            f"  trains on {counts['train']} rows, validates on {counts['validation']}, tests on {counts['test']}"
        )
