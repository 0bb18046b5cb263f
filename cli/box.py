"""`droptune box`: the local cloud."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Any

import click

from cli.box_fault import fault
from cli.output import NO, USAGE, document, home_option, json_option, say, told


@click.group()
def box() -> None:
    """The cloud in a box: Azurite, identity, Azure ML, Event Grid, and the functions' host."""


box.add_command(fault)


@box.command()
@home_option
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the function app.")
@click.option("--time-scale", type=float, help="Azure's own durations times N; 0: no artificial delays.")
@click.option("--instances", type=int, help="Copies of the functions' host.")
@json_option
@told
def up(home: str, settings: tuple[str, ...], time_scale: float | None, instances: int | None, as_json: bool) -> None:
    """Start the box; returns when all is ready."""
    from local.box import control

    pairs = dict(_pair(text) for text in settings)
    began = time.monotonic()
    status = control.up(
        Path(home),
        settings=pairs or None,
        instances=instances,
        time_scale=time_scale,
        on_progress=None if as_json else lambda service, state: say(f"  {service:<10} {state}"),
    )
    if as_json:
        document(status.as_json())
        return
    say(f'the box is up after {time.monotonic() - began:.1f} s; in your shell: eval "$(droptune box env)"')


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        say(f"--set {text}: write NAME=VALUE")
        sys.exit(USAGE)
    return name, value


@box.command()
@home_option
@told
def down(home: str) -> None:
    """Stop everything; the data stays."""
    from local.box import control

    control.down(Path(home))
    say("the box is down")


@box.command()
@home_option
@json_option
@told
def status(home: str, as_json: bool) -> None:
    """The services: where, which process, healthy or not. Exit 0 only if all are."""
    from local.box import control

    found: dict[str, Any] = control.status(Path(home)).as_json()
    if as_json:
        document(found)
    else:
        for name, service in found["services"].items():
            state = click.style("healthy", fg="green") if service["healthy"] else click.style("down", fg="red")
            memory = f"{service['rss_mb']:.0f} MB" if service.get("rss_mb") else ""
            click.echo(f"{name:<10} {state}  pid {service['pid'] or '–':<8} {memory:>7}  {service['url']}")
    services = found["services"].values()
    sys.exit(0 if services and all(service["healthy"] for service in services) else NO)


@box.command()
@home_option
@json_option
@told
def env(home: str, as_json: bool) -> None:
    """The environment with which any SDK or shell uses the box: eval "$(droptune box env)"."""
    from local.box import control

    variables = control.environment(Path(home))
    if as_json:
        document(variables)
        return
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@box.command()
@click.argument("service", required=False)
@click.option("-f", "follow", is_flag=True, help="Go on as it is written.")
@home_option
@told
def logs(service: str | None, follow: bool, home: str) -> None:
    """The log of a service, or of all."""
    from local.box import control

    paths = {name: control.log_path(Path(home), name) for name in ([service] if service else control.SERVICES)}
    offsets = dict.fromkeys(paths, 0)
    while True:
        for name, path in paths.items():
            offsets[name] = _print_from(name if not service else "", path, offsets[name])
        if not follow:
            return
        time.sleep(0.3)


def _print_from(prefix: str, path: Path, offset: int) -> int:
    if not path.exists():
        return offset
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            click.echo((f"{prefix:<10} " if prefix else "") + line.decode("utf-8", "replace").rstrip())
        return file.tell()


@box.command()
@home_option
@click.option("--yes", is_flag=True, help="Don't ask.")
@told
def reset(home: str, yes: bool) -> None:
    """Stop the box and delete all that it holds."""
    from local.box import control

    if not yes:
        click.confirm(f"delete all data in {home}?", abort=True)
    control.reset(Path(home))
    say("the box is empty")
