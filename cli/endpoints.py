"""`droptune endpoints`: list, show, sleep, wake, keep, rollback."""

from __future__ import annotations

import time
from typing import Any

import click

from cli import environment
from cli.output import document, home_option, json_option, say, told

PAUSE = 0.5
WAIT_SECONDS = 1800.0


@click.group()
def endpoints() -> None:
    """Endpoints: what answers, what sleeps, what bills."""


@endpoints.command("list")
@home_option
@json_option
@told
def list_(home: str, as_json: bool) -> None:
    """All endpoints."""
    from cli import api

    environment.use(home)
    answer = api.call("GET", "endpoints")
    if as_json:
        document(answer)
        return
    for row in answer["endpoints"]:
        _line(row)


@endpoints.command()
@click.argument("name")
@home_option
@json_option
@told
def show(name: str, home: str, as_json: bool) -> None:
    """One endpoint, by the dataset's name."""
    environment.use(home)
    _show(_call("GET", name), as_json)


@endpoints.command()
@click.argument("name")
@home_option
@json_option
@told
def sleep(name: str, home: str, as_json: bool) -> None:
    """Take the deployment away now; the address stays."""
    environment.use(home)
    _show(_call("POST", name, "sleep"), as_json)


@endpoints.command()
@click.argument("name")
@click.option("--wait", is_flag=True, help="Return when it answers.")
@home_option
@json_option
@told
def wake(name: str, wait: bool, home: str, as_json: bool) -> None:
    """Bring the deployment back."""
    from shared.errors import TransientError

    environment.use(home)
    row = _call("POST", name, "wake")
    ends = time.monotonic() + WAIT_SECONDS
    while wait and row["state"] != "awake":
        if time.monotonic() > ends:
            raise TransientError(f"{name} did not wake within {WAIT_SECONDS / 60:.0f} minutes")
        time.sleep(PAUSE)
        row = _call("GET", name)
    _show(row, as_json)


@endpoints.command()
@click.argument("name")
@click.option("--for", "duration", default="8h", show_default=True, help="How long, such as 90m or 2d; 7d at most.")
@home_option
@json_option
@told
def keep(name: str, duration: str, home: str, as_json: bool) -> None:
    """Keep it awake although nobody uses it, and put its end off, if it has one."""
    environment.use(home)
    _show(_call("POST", name, "keep", query={"for": duration}), as_json)


@endpoints.command()
@click.argument("name")
@home_option
@json_option
@told
def rollback(name: str, home: str, as_json: bool) -> None:
    """Bring the model before back; a rollout that is under way is given up."""
    environment.use(home)
    _show(_call("POST", name, "rollback"), as_json)


def _call(method: str, name: str, *command: str, query: dict[str, str] | None = None) -> dict[str, Any]:
    from cli import api

    answer: dict[str, Any] = api.call(method, "endpoints", name, *command, query=query)
    return answer


def _show(row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        document(row)
    else:
        _line(row)
        _idle(row["idle"])
        for moment in row["timeline"][-8:]:
            say(f"  {moment['at'][:19].replace('T', ' ')}  {moment['state']:<15} {moment.get('detail', '')}")


def _idle(idle: dict[str, Any]) -> None:
    """When it sleeps, and why then; what else keeps or ends it."""
    window = f"{idle['window_seconds']:.0f} s" if idle["window_seconds"] else "never"
    say(f"  sleeps after {window} ({idle['policy']}): {idle['reason']}")
    for key, words in (
        ("sleeps_at", "asleep at the earliest"),
        ("awake", "kept awake"),
        ("kept_until", "kept until"),
        ("deleted_at", "deleted at"),
    ):
        if idle.get(key):
            say(f"  {words:<23} {idle[key]}")


def _line(row: dict[str, Any]) -> None:
    cost = row["cost"]
    click.echo(
        f"{row['name']:<24} {row['state']:<15} served {cost['serving_usd']:.4f} USD, "
        f"sleeping saved {cost['saved_usd']:.4f} USD, bills now {cost['bills_now_usd_an_hour']:.2f} USD an hour"
    )
