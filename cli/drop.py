"""`droptune drop`: upload a dataset, and follow what becomes of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from cli import environment
from cli.output import NO, USAGE, document, home_option, json_option, say, told
from cli.progress import reading

APPEARS_SECONDS = 60.0
PROGRESS = 16 * 1024 * 1024


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--as", "name", help="The model's name (default: the file's).")
@click.option("--config", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A droptune.toml.")
@click.option("--follow", is_flag=True, help="Show the timeline until the run rests; exit 0 only if it is live.")
@home_option
@json_option
@told
def drop(file: Path, name: str | None, config: Path | None, follow: bool, home: str, as_json: bool) -> None:
    """Upload FILE to datasets/NAME/ and let droptune do the rest."""
    from shared.datasets.paths import SUFFIXES, bad_name

    if not file.name.lower().endswith(SUFFIXES):
        say(f"{file.name} is no dataset by its name ({', '.join(SUFFIXES)}): droptune convert {file} -o OUT.jsonl")
        sys.exit(USAGE)
    name = name or file.name.split(".")[0]
    if proposal := bad_name(name):
        say(f"{name!r} is no name for a model: --as {proposal}")
        sys.exit(USAGE)
    environment.use(home)
    path, etag = upload(file, name, config)
    say(f"dropped {file} as datasets/{path}")
    row = settle(path, etag, name, follow)
    if as_json:
        document(row)
    elif not follow:
        say(f"{row['state']}: `droptune runs follow {row['id']}` shows how it goes on")
    elif row["state"] not in ("live", "asleep"):
        say(f"{row['reason']}\n{row['fix']}")
    sys.exit(0 if not follow or row["state"] in ("live", "asleep") else NO)


def upload(file: Path, name: str, config: Path | None) -> tuple[str, str]:
    """Uploads the configuration, then the file; returns the file's path in the container and its ETag."""
    from shared.azure.blobs import Container

    datasets = Container("datasets")
    if config:
        datasets.write(f"{name}/droptune.toml", config.read_bytes())
    path = f"{name}/{file.name}"
    with file.open("rb") as stream, reading(file, PROGRESS) as told_of:
        datasets.write_file(path, stream, told_of)
    found = datasets.properties(path)
    return path, found.etag if found else ""


def settle(path: str, etag: str, name: str, follow: bool) -> dict[str, Any]:
    """The run of an upload: as soon as it is seen, or (`follow`) as it rests."""
    import time

    from cli import follow as following

    ends = time.monotonic() + APPEARS_SECONDS
    seen = _find(path, etag, name)
    while seen is None and time.monotonic() < ends:
        time.sleep(following.PAUSE)
        seen = _find(path, etag, name)
    if seen is None:
        from shared.errors import TransientError

        raise TransientError(
            "droptune has not seen the file within a minute", "look at `droptune box status`; the sweep finds it later"
        )
    if not follow:
        return seen
    return following.show(following.watch(lambda: _find(path, etag, name)))


def _find(path: str, etag: str, name: str) -> dict[str, Any] | None:
    from cli import api

    rows = api.call("GET", "runs", query={"name": name})["runs"]
    ours = [row for row in rows if row["dataset"].get("path") == path and row["dataset"].get("etag") == etag]
    # A rerun of the same upload (its droptune.toml changed) makes a second row: the newest counts.
    if ours:
        row: dict[str, Any] = ours[0]
        return row if "~" in row["id"] else api.call("GET", "runs", row["id"])
    duplicate = _duplicate(path, etag)
    return api.call("GET", "runs", duplicate) if duplicate else None


def _duplicate(path: str, etag: str) -> str:
    import json

    from shared.azure.blobs import Container
    from shared.errors import NotFoundError

    try:
        report = json.loads(Container("datasets").read(f"{path}.report.json")[0])
    except NotFoundError:
        return ""
    return str(report.get("run", "")) if report.get("etag") == etag else ""
