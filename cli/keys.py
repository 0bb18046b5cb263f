"""`droptune keys`: keys for the HTTP interface; whoever has the storage role makes them."""

from __future__ import annotations

from typing import Any

import click

from cli import environment
from cli.output import document, home_option, json_option, told


@click.group()
def keys() -> None:
    """Keys for the scoring API."""


@keys.command("list")
@home_option
@json_option
@told
def list_(home: str, as_json: bool) -> None:
    """All keys: ids, names, scopes and limits; the keys themselves are not kept."""
    import msgspec

    environment.use(home)
    from shared.access import Key

    access = _store()
    found = [msgspec.json.decode(access.read(blob.path)[0], type=Key) for blob in access.list("keys/")]
    if as_json:
        shown = ("id", "name", "scopes", "created", "models", "per_minute", "expires")
        document({"keys": [{name: getattr(key, name) for name in shown} for key in found]})
        return
    for key in found:
        click.echo(f"{key.id}  {key.name:<20} {','.join(key.scopes):<19} {key.created[:19]}  {_limits(key)}".rstrip())


def _limits(key: Any) -> str:
    parts = [f"only {', '.join(key.models)}"] if key.models else []
    parts += [f"{key.per_minute} a minute"] if key.per_minute else []
    parts += [f"until {key.expires[:19]}"] if key.expires else []
    return "; ".join(parts)


@keys.command()
@click.option("--name", default="key", help="What it is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(["score", "read", "operate"]), default=["score"])
@click.option("--model", "models", multiple=True, metavar="NAME", help="It may ask this model only; may be repeated.")
@click.option("--per-minute", type=click.IntRange(0), default=0, help="Most questions in a minute; 0: any number.")
@home_option
@json_option
@told
def make(
    name: str, scopes: tuple[str, ...], models: tuple[str, ...], per_minute: int, home: str, as_json: bool
) -> None:
    """Make a key; it is shown this once."""
    environment.use(home)
    from shared.access import make_key

    try:
        key = make_key(_store(), frozenset(scopes), name, models=list(models), per_minute=per_minute)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    _show(key, as_json, name=name, scopes=sorted(scopes))


@keys.command()
@click.argument("identity")
@click.option("--grace", default="0", metavar="DURATION", help="So long does the old key open as well, such as 1h.")
@home_option
@json_option
@told
def rotate(identity: str, grace: str, home: str, as_json: bool) -> None:
    """Make a key like the one with this id, which then opens no more; the new one is shown this once."""
    from shared.settings import parse_duration

    environment.use(home)
    from shared.access import rotate as make_new

    try:
        seconds = parse_duration(grace)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--grace") from error
    _show(make_new(_store(), _known(identity), seconds), as_json)


@keys.command()
@click.argument("identity")
@home_option
@told
def revoke(identity: str, home: str) -> None:
    """Take a key's rights away, by its id; an instance that just used it notices within 15 seconds."""
    environment.use(home)
    from shared.access import path

    _store().delete(path(_known(identity)))


def _known(identity: str) -> str:
    """The id, or that of a whole key: people paste what they have."""
    import re

    from shared.errors import NotFoundError

    match = re.fullmatch(r"(?:dt-)?([0-9a-f]{8})(?:-.*)?", identity)
    if match and _store().properties(f"keys/{match[1]}.json") is not None:
        return match[1]
    raise NotFoundError("there is no key with this id", "`droptune keys list` shows all", 404)


def _show(key: str, as_json: bool, **more: Any) -> None:
    if as_json:
        document({"key": key, "id": key.split("-")[1], **more})
    else:
        click.echo(key)


def _store() -> Any:
    from shared.azure.blobs import Container

    return Container("access")
