"""`droptune convert`: what people have, as the chat rows that train."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from cli.output import USAGE, document, json_option, say, told

if TYPE_CHECKING:
    from shared.datasets.formats.conversion import Account

CHUNK = 1 << 20
BIG = 20 * 10**6
SHOWN = 20


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Where to write, as JSON lines.")
@click.option("--skip", is_flag=True, help="Leave out rows that cannot be converted, and say which.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
@json_option
@told
def convert(file: Path, out: Path, skip: bool, force: bool, as_json: bool) -> None:
    """Turn FILE into chat rows, whatever it is packed in and whatever its rows look like.

    Reads JSON lines, arrays, Parquet, CSV, TSV, UTF-16, gzip, bzip2, xz and zip; rows of ShareGPT, Alpaca, prompt and
    answer, preference pairs, Gemini, Bedrock and templated text. OUT is written whole or not at all.
    """
    if wrong := _refusal(file, out, force):
        say(wrong)
        sys.exit(USAGE)
    account = write(file, out, skip)
    document({"file": str(file), "out": str(out), **account.as_json()}) if as_json else _show(file, out, account)


def write(file: Path, out: Path, skip: bool) -> Account:
    """Converts a file into another, by way of a temporary file beside it, and gives an account."""
    from shared.datasets.formats.conversion import Account, convert
    from shared.errors import DroptuneError

    account = Account()
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        with file.open("rb") as source, unfinished.open("xb") as target, _progress(file) as bar:
            for line in convert(_chunks(source, bar), account, skip=skip):
                target.write(line)
        unfinished.replace(out)
    except OSError as error:
        raise DroptuneError(f"{error.filename or out}: {error.strerror or error}", "Nothing was written.") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return account


def _refusal(file: Path, out: Path, force: bool) -> str:
    if not file.is_file():
        return f"there is no file {file}"
    if not out.parent.is_dir():
        return f"there is no folder {out.parent}"
    if out.is_dir():
        return f"{out} is a folder: name a file"
    if out.exists() and out.samefile(file):
        return f"{out} is the file that is read: name another"
    return f"{out} exists: --force overwrites it" if out.exists() and not force else ""


def _progress(file: Path) -> Any:
    """A bar on stderr for files that take a while, where somebody looks."""
    size = file.stat().st_size
    if size < BIG or not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    bar = Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    bar.add_task("convert", total=size)
    return bar


def _chunks(source: BinaryIO, bar: Any) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        if bar:
            bar.advance(bar.task_ids[0], len(chunk))
        yield chunk


def _show(file: Path, out: Path, account: Account) -> None:
    of = f" of {account.rows_in}" if account.refused_total else ""
    click.echo(f"{file}: {', '.join(account.containers)}; {account.rows_out} rows{of} written to {out}")
    for shape, count in account.shapes.most_common():
        click.echo(f"  {count} rows: {shape}")
    for name, count in account.left_out.most_common():
        click.echo(f"  left out {count} ×: {click.style(name, fg='yellow')}")
    if account.refused_total:
        rows = "row" if account.refused_total == 1 else "rows"
        sentence = f"  {account.refused_total} {rows} not converted and left out:"
        click.echo(click.style(sentence, fg="red"))
    for number, reason in account.refused[:SHOWN]:
        click.echo(f"    {account.unit} {number}: {reason}")
    if account.refused_total > SHOWN:
        click.echo(f"    and {account.refused_total - SHOWN} more: --json lists {len(account.refused)} of them")
