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
    """All keys: ids, names and scopes; the keys themselves are not kept."""
    import msgspec

    environment.use(home)
    from shared.access import Key

    access = _store()
    found = [msgspec.json.decode(access.read(blob.path)[0], type=Key) for blob in access.list("keys/")]
    rows = [{"id": key.id, "name": key.name, "scopes": key.scopes, "created": key.created} for key in found]
    if as_json:
        document({"keys": rows})
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['name']:<20} {','.join(row['scopes']):<22} {row['created']}")


@keys.command()
@click.option("--name", default="key", help="What it is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(["score", "read", "operate"]), default=["score"])
@home_option
@json_option
@told
def make(name: str, scopes: tuple[str, ...], home: str, as_json: bool) -> None:
    """Make a key; it is shown this once."""
    environment.use(home)
    from shared.access import make_key

    key = make_key(_store(), frozenset(scopes), name)
    document({"key": key, "name": name, "scopes": sorted(scopes)}) if as_json else click.echo(key)


@keys.command()
@click.argument("identity")
@home_option
@told
def revoke(identity: str, home: str) -> None:
    """Take a key's rights away, by its id; other instances notice within 15 seconds."""
    environment.use(home)
    _store().delete(f"keys/{identity}.json")


def _store() -> Any:
    from shared.azure.blobs import Container

    return Container("access")
