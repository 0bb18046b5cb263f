"""`droptune doctor`: what is wrong with the environment, and the command that mends it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import environment
from cli.output import NO, UNREACHABLE, document, home_option, json_option, told

if TYPE_CHECKING:
    from shared.doctor import here
    from shared.doctor.findings import Finding

AWAIT_SECONDS = 120.0
APP_SECONDS = 70.0  # the app's own checks give up after 20 seconds each, most of them at once
COLOURS = {"ok": "green", "warning": "yellow", "wrong": "red"}
KEY = "export DROPTUNE_KEY=$(droptune keys make --name me --scope score --scope read --scope operate)"


@click.command()
@click.option(
    "--wait", "seconds", default=AWAIT_SECONDS, show_default=True, help="How long an event is waited for, in seconds."
)
@home_option
@json_option
@told
def doctor(seconds: float, home: str, as_json: bool) -> None:
    """Check settings, identity, roles, quota and events; say how to mend each. Exit 0 only if nothing is wrong."""
    environment.use(home)
    from shared.doctor import here

    reached = _reached()
    apps = _apps() if reached.status != "wrong" else []
    rows = [_row("here", reached.document()), *apps]
    rows += [_row("here", one.document()) for one in here.findings(reached.status != "wrong", seconds, _names())]
    if _is_box(home):
        rows = [_in_the_box(row) for row in rows]
    _show(rows, as_json)
    if reached.status == "wrong":
        sys.exit(UNREACHABLE)
    sys.exit(NO if any(row["status"] == "wrong" for row in rows) else 0)


def for_the_box(mend: str) -> str:
    """What mends the same in the box, where there is neither `azd` nor the Azure CLI.

    >>> for_the_box("azd env set DROPTUNE_BASE_MODEL Phi-4:8 && azd provision")
    'droptune box up --set DROPTUNE_BASE_MODEL=Phi-4:8'
    >>> for_the_box("azd deploy")
    'droptune box down && droptune box up'
    >>> for_the_box("az role assignment create --role X")
    'droptune box fault clear'
    """
    if mend.startswith("az role "):  # in the box every role is given: only a fault denies
        return "droptune box fault clear"
    setting = re.match(r"azd env set (\S+) (\S+)", mend)
    if setting:
        return f"droptune box up --set {setting[1]}={setting[2]}"
    return "droptune box down && droptune box up" if mend.startswith(("az ", "azd ")) else mend


def _names() -> here.Names:
    """What `azd env get-values` says."""
    from shared.doctor import here

    given = {
        "storage_topic": os.environ.get("DROPTUNE_STORAGE_TOPIC"),
        "workspace_topic": os.environ.get("DROPTUNE_WORKSPACE_TOPIC"),
        "storage_id": os.environ.get("DROPTUNE_STORAGE_ID"),
    }
    return here.Names(**{name: value for name, value in given.items() if value})


def _in_the_box(row: dict[str, Any]) -> dict[str, Any]:
    """A finding as it is meant in the box, whose app may make its cluster."""
    if row["name"] == "cluster" and row["status"] == "warning":
        return {**row, "status": "ok", "told": "the first run makes it", "mend": ""}
    return {**row, "mend": for_the_box(row.get("mend", ""))}


def _is_box(home: str) -> bool:
    from local.box import config, control

    return control.is_up(Path(home)) and config.load(Path(home)).url("functions") == os.environ["DROPTUNE_URL"]


def _reached() -> Finding:
    from cli import api
    from shared.doctor import mends
    from shared.doctor.findings import examined, ok

    def look() -> Finding:
        versions = api.call("GET", "health")["versions"]
        return ok(
            "function app",
            f"{os.environ['DROPTUNE_URL']}: droptune {versions['droptune']}, Python {versions['python']}",
        )

    return examined("function app", look, mends.DEPLOY)


def _apps() -> list[dict[str, Any]]:
    """The findings of the app itself; one of ours where it does not tell them."""
    from cli import api
    from shared.doctor.findings import examined, ok, wrong
    from shared.errors import DeniedError

    told: list[dict[str, Any]] = []

    def look() -> Finding:
        try:
            told.extend(api.call("POST", "doctor")["findings"])
        except DeniedError as error:
            return wrong("key", error.reason, KEY)
        return ok("key", "DROPTUNE_KEY may operate")

    key = examined("key", look, seconds=APP_SECONDS).document()
    return [_row("here", key), *(_row("app", one) for one in told)]


def _row(where: str, found: dict[str, Any]) -> dict[str, Any]:
    return {"where": where, "mend": "", **found}


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    wrong = sum(row["status"] == "wrong" for row in rows)
    if as_json:
        document({"ok": wrong == 0, "findings": rows})
        return
    for row in rows:
        click.echo(f"{click.style(row['status'].ljust(8), fg=COLOURS[row['status']])}{row['name']:<18} {row['told']}")
        if row["mend"]:
            click.echo(f"{'':<26} → {row['mend']}")
    click.echo(f"\n{len(rows)} checks, {wrong} wrong, {sum(row['status'] == 'warning' for row in rows)} to know of")
