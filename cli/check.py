"""`droptune check`: the same rules as in the cloud, offline."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import NO, USAGE, document, json_option, say

if TYPE_CHECKING:
    from shared.datasets.config import Config

SHOWN = 20
PROGRESS = 64 * 1024 * 1024


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A droptune.toml.")
@click.option("--test", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A test file of its own.")
@click.option(
    "--validation", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A validation file of its own."
)
@click.option(
    "--tokenizer", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The base model's tokenizer.json."
)
@click.option(
    "--processes", type=click.IntRange(1, 64), help="Processes for a large file; else one a core, two at most."
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the page of the report here.")
@json_option
def check(
    files: tuple[Path, ...],
    config: Path | None,
    test: Path | None,
    validation: Path | None,
    tokenizer: Path | None,
    processes: int | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Check datasets offline. Exit code 0 only if all are accepted."""
    if report is not None and len(files) > 1:
        say("--report is for one file")
        sys.exit(USAGE)
    accepted = True
    beside = {role: path for role, path in (("test", test), ("validation", validation)) if path is not None}
    for file in files:
        if not file.is_file():
            say(f"there is no file {file}")
            sys.exit(USAGE)
        verdict = judge(file, config, beside, str(tokenizer or ""), processes or min(2, os.cpu_count() or 1))
        accepted = accepted and bool(verdict["accepted"])
        document(verdict) if as_json else _show(file, verdict)
        if report is not None:
            _write_report(report, file, verdict)
    sys.exit(0 if accepted else NO)


def judge(
    file: Path, config: Path | None, beside: dict[str, Path] | None = None, tokenizer: str = "", processes: int = 1
) -> dict[str, Any]:
    """The verdict on a file as `--json` prints it."""
    from cli.progress import reading
    from shared.datasets import check as datasets
    from shared.datasets.config import Config, parse
    from shared.datasets.parallel import reader
    from shared.datasets.paths import SUFFIXES
    from shared.datasets.sources import Local

    if not file.name.lower().endswith(SUFFIXES):
        say(f"{file.name} is taken for JSON lines: in the cloud, files named {', '.join(SUFFIXES)} are datasets")
    chosen, wrong = parse(config.read_bytes()) if config else (Config(), [])
    terms = datasets.Terms(chosen.base_model or datasets.Terms().model, tokenizer, chosen.checks.pii)
    with reading(file, PROGRESS) as told:
        sources = {"dataset": Local(file, told), **{role: Local(path) for role, path in (beside or {}).items()}}
        verdict = datasets.check(sources, chosen, wrong, terms=terms, read=reader(processes)).as_json()
    expected = _forecast(verdict, chosen)
    return {**verdict, "estimate": expected} if expected else verdict


def _write_report(path: Path, file: Path, verdict: dict[str, Any]) -> None:
    from shared import reports

    state = "accepted" if verdict["accepted"] else "rejected"
    path.write_text(reports.render({"file": str(file), "state": state, "reason": "", "fix": "", **verdict}), "utf-8")
    say(f"report: {path}")


def _forecast(verdict: dict[str, Any], chosen: Config) -> dict[str, Any] | None:
    """What training on it would cost on droptune's default machine, with the notebook's parameters for Phi-3."""
    from shared.settings import Settings
    from shared.training.forecast import forecast, trained_tokens

    if not verdict["accepted"] or chosen.compute:
        return None
    defaults = {"apply_lora": "true", "precision": 16}  # of the registry's Phi models (AZUREML_CONTRACT section 2)
    model = chosen.base_model or Settings.base_model
    tokens = trained_tokens(verdict["profile"], verdict["counts"])
    return forecast(tokens, {**defaults, **chosen.parameters}, model, Settings.compute_size)


def _show(file: Path, verdict: dict[str, Any]) -> None:
    mark = click.style("accepted", fg="green") if verdict["accepted"] else click.style("rejected", fg="red")
    rows, findings = verdict["rows"], verdict["findings_total"]
    click.echo(f"{file}: {mark}, {rows:,} rows, {findings:,} finding{'s' if findings != 1 else ''}")
    for finding in verdict["findings"][:SHOWN]:
        _show_finding(file, finding)
    if len(verdict["findings"]) > SHOWN:
        click.echo(f"  … and {verdict['findings_total'] - SHOWN:,} more (--json lists the first hundred)")
    _show_profile(verdict)


def _show_finding(file: Path, finding: dict[str, Any]) -> None:
    place = f"{finding['file'] or file}:{finding['line'] or ''}"
    colour = "red" if finding["severity"] == "error" else "yellow"
    named = finding["field"] and finding["field"] not in finding["message"]
    field = f" {finding['field']}:" if named else ""
    click.echo(f"  {place}{field} {click.style(finding['message'], fg=colour)} ({finding['code']})")
    if excerpt := finding["excerpt"]:
        marked = click.style(_plain(excerpt["marked"]), reverse=True)
        click.echo(f"      {_plain(excerpt['before'])}{marked}{_plain(excerpt['after'])}")
    click.echo(f"      {finding['fix']}")


def _plain(text: str) -> str:
    """Text without what would move the terminal's cursor or turn the writing round."""
    return "".join(character if character.isprintable() else "·" for character in text)


def _show_profile(verdict: dict[str, Any]) -> None:
    counts, tokens = verdict["counts"], verdict["profile"].get("tokens")
    if verdict["accepted"]:
        click.echo(
            f"  trains on {counts['train']} rows, validates on {counts['validation']}, tests on {counts['test']}"
        )
        click.echo(f"  {tokens['total']:,} tokens, {tokens['answers']:,} of them answers ({tokens['basis']})")
    if expected := verdict.get("estimate"):
        money = f"{expected['usd']:,.2f} USD ({expected['usd_low']:,.2f} to {expected['usd_high']:,.2f})"
        click.echo(f"  training on a {expected['size']} is estimated at {money}, {expected['hours']:.1f} hours")
