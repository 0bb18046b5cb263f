"""`droptune box fault`: break the box's services on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.output import UNREACHABLE, USAGE, document, fail, home_option, json_option, say, told

_KINDS = (
    "status", "html", "garbage", "half", "half_reset", "half_hang", "close", "reset", "hang", "delay", "provisioning",
)  # fmt: skip
_NAMES = (
    "quota_exceeded, compute_quota_exceeded, capacity_gone, compute_capacity_gone, image_build_failed, "
    "job_image_build_failed, throttled"
)


@click.group()
def fault() -> None:
    """Break calls to the box's Azure ML and to its storage, by rule; docs/emulator.md has all that a rule may say."""


@fault.command(epilog=f"Names: {_NAMES}.")
@click.argument("name", required=False)
@click.option(
    "--on", type=click.Choice(["azureml", "storage"]), default="azureml", show_default=True, help="Which service."
)
@click.option("--method", help="The verb; all when not given.")
@click.option("--path", help="Pattern of the address, as jobs/* (its end) or /*/datasets/**; * is one segment.")
@click.option("--query", help="A parameter that the address must have, as comp=blocklist.")
@click.option("--kind", type=click.Choice(_KINDS), help="What happens; status when not given.")
@click.option("--status", type=int, help="The error's status, 400 to 599.")
@click.option("--code", help="The error's code; Azure's own for the status when not given.")
@click.option("--message", help="The error's words.")
@click.option("--when", type=click.Choice(["before", "after"]), help="Before the call has its effect, or after.")
@click.option("--delay", type=float, help="Seconds to wait first.")
@click.option("--retry-after", type=click.Choice(["none", "seconds", "date", "ms"]), help="Form of Retry-After.")
@click.option("--retry-seconds", type=float, help="Its value.")
@click.option("--nth", type=int, help="From the Nth call that matches.")
@click.option("--every", type=int, help="Every Nth call.")
@click.option("--probability", type=float, help="A share of the calls, 0 to 1.")
@click.option("--seed", type=int, help="Of the dice of --probability: the same seed breaks the same calls.")
@click.option("--times", type=int, help="How often at most; 1 when not given, 0 is always.")
@home_option
@json_option
@told
def add(home: str, as_json: bool, on: str, **fields: Any) -> None:
    """Put a rule in force, by NAME or by what it shall do."""
    given = {name: value for name, value in fields.items() if value is not None}
    if not given:
        fail("say what shall break: a NAME, or --path, --method, --kind, --status …", code=USAGE)
    rule = _ask("add", home, on, given)
    if as_json:
        document(rule)
    else:
        click.echo(_line(rule))


@fault.command("list")
@home_option
@json_option
@told
def list_(home: str, as_json: bool) -> None:
    """The rules in force, how often each fired, and what was broken last."""
    found = _ask("listing", home)
    if as_json:
        document(found)
        return
    for rule in found["faults"]:
        click.echo(_line(rule))
    for one in found["fired"][-10:]:
        click.echo(f"  {one['at'][11:23]}  {one['fault']:<4} {one['kind']:<12} {one['method']} {_short(one['path'])}")
    if not found["faults"]:
        say("no faults are in force")


@fault.command()
@click.argument("identity", required=False, metavar="[ID]")
@home_option
@told
def clear(identity: str | None, home: str) -> None:
    """Take a rule away, or all of them."""
    _ask("clear", home, identity)
    say(f"{identity} is gone" if identity else "no faults are in force")


def _ask(what: str, home: str, *values: Any) -> Any:
    from local.box import faults

    try:
        return getattr(faults, what)(Path(home), *values)
    except faults.FaultError as error:
        fail(str(error), code=USAGE)
    except faults.UnreachableError as error:
        fail(str(error), code=UNREACHABLE)


def _line(rule: dict[str, Any]) -> str:
    which = next((f"{name} {rule[name]}" for name in ("nth", "every", "probability") if rule[name] is not None), "")
    limit = "always" if rule["times"] == 0 else f"{rule['times']}×"
    shown = rule["name"] or (f"status {rule['status']}" if rule["kind"] in ("status", "html") else rule["kind"])
    return (
        f"{rule['id']:<4} {shown:<24} {rule['method']} {rule['path']}  {which} {limit}  "
        f"fired {rule['fired']} of {rule['seen']}"
    )


def _short(path: str) -> str:
    return path.rsplit("/workspaces/", 1)[-1] if "/workspaces/" in path else path
