"""`droptune runs`: list, show, follow, cancel, retry."""

from __future__ import annotations

import sys
from typing import Any

import click

from cli import environment
from cli.output import NO, document, home_option, json_option, say, told


@click.group()
def runs() -> None:
    """Runs: what became of dropped files."""


@runs.command("list")
@click.option("--name", default="", help="Only of this dataset.")
@click.option("--state", default="", help="Only in this state.")
@home_option
@json_option
@told
def list_(name: str, state: str, home: str, as_json: bool) -> None:
    """All runs, newest first."""
    from cli import api

    environment.use(home)
    answer = api.call("GET", "runs", query={"name": name, "state": state})
    if as_json:
        document(answer)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("run", "name", "state", "created", "eval loss", "cost USD", box=None, pad_edge=False)
    for row in answer["runs"]:
        loss, cost = row["metrics"].get("eval_loss"), row["cost"].get("total_usd")
        table.add_row(
            row["id"],
            row["name"],
            row["state"],
            row["created"][:19].replace("T", " "),
            "" if loss is None else f"{loss:.3f}",
            "" if cost is None else f"{cost:.2f}",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@runs.command()
@click.argument("run")
@home_option
@json_option
@told
def show(run: str, home: str, as_json: bool) -> None:
    """One run, by id, prefix, or a dataset's name (its newest)."""
    environment.use(home)
    _show(_call("GET", run), as_json)


@runs.command()
@click.argument("run")
@home_option
@json_option
@told
def follow(run: str, home: str, as_json: bool) -> None:
    """Follow a run until it rests; exit 0 only if it is live."""
    from cli import follow as following

    environment.use(home)
    identity = str(_call("GET", run)["id"])
    row = following.show(following.watch(following.by_id(identity)))
    if as_json:
        document(row)
    elif row["reason"]:
        say(f"{row['reason']}\n{row['fix']}")
    sys.exit(0 if row["state"] in ("live", "asleep") else NO)


@runs.command()
@click.argument("run")
@home_option
@json_option
@told
def cancel(run: str, home: str, as_json: bool) -> None:
    """Cancel a run: its job ends, its deployment goes."""
    environment.use(home)
    _show(_call("POST", run, "cancel"), as_json)


@runs.command()
@click.argument("run")
@home_option
@json_option
@told
def retry(run: str, home: str, as_json: bool) -> None:
    """Begin a new attempt of a run that failed, was refused or cancelled."""
    environment.use(home)
    _show(_call("POST", run, "retry"), as_json)


def _call(method: str, run: str, *command: str) -> dict[str, Any]:
    from cli import api

    answer: dict[str, Any] = api.call(method, "runs", run, *command)
    return answer


def _show(row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        document(row)
        return
    from cli.follow import line

    click.echo(f"{row['id']}  {click.style(row['state'], bold=True)}")
    if row["reason"]:
        click.echo(f"  {row['reason']}\n  {row['fix']}")
    for moment in row["timeline"]:
        click.echo(line(moment, row["timeline"][0]["at"]))
    for label, value in _facts(row):
        click.echo(f"  {label:<12} {value}")


def _facts(row: dict[str, Any]) -> list[tuple[str, str]]:
    metrics, cost = row["metrics"], row["cost"]
    facts = [
        ("dataset", row["dataset"].get("path", "")),
        ("base model", row.get("base_model", {}).get("id", "")),
        ("job", row["job"].get("name", "")),
        ("model", ":".join(filter(None, (row["model"].get("name"), row["model"].get("version"))))),
        ("endpoint", "/".join(filter(None, (row["endpoint"].get("name"), row["endpoint"].get("deployment"))))),
        ("eval loss", f"{metrics['eval_loss']:.3f}" if "eval_loss" in metrics else ""),
        ("course", row.get("evaluation", {}).get("course", "")),
        ("answers", _answers(row.get("evaluation", {}))),
        ("cost", f"{cost['total_usd']:.4f} USD" if "total_usd" in cost else ""),
    ]
    return [(label, value) for label, value in facts if value]


def _answers(evaluation: dict[str, Any]) -> str:
    """The test rows in one line: chrF, beside the other model's where one was asked."""
    if "new" not in evaluation:
        return ""
    new, other = evaluation["new"], evaluation.get("other")
    beside = f" (the other model {other['chrf']:.1f})" if other else ""
    return f"chrF {new['chrf']:.1f}{beside}, F1 {new['f1']:.2f}, {new['empty']:.0%} empty, over {new['rows']} test rows"
