"""The rows of any file that can be read, whatever it is packed in."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.datasets.formats.arrays import array_lines, object_lines
from shared.datasets.formats.blocks import ChunkFile, lines, peek, seekable
from shared.datasets.formats.containers import BOM, HEAD, Container, identify
from shared.datasets.formats.decoding import literal
from shared.datasets.formats.errors import CannotConvertError, FormatError, named
from shared.datasets.formats.parquet import parquet_lines
from shared.datasets.formats.readers import MAX_BYTES, capped
from shared.datasets.formats.texts import csv_delimiter
from shared.datasets.formats.unpacking import UNPACK

LAYERS = 4
MAX_CELL = 16 * 2**20
Rows = Iterator[tuple[int, Any]]


@dataclass(frozen=True)
class Source:
    """A file's rows: number (line or row, as `unit` says) and value, or the error that stands in its place.

    `names` are the containers, outermost first.
    """

    names: tuple[str, ...]
    unit: str
    rows: Rows


def open_source(chunks: Iterable[bytes], max_bytes: int = MAX_BYTES) -> Source:
    """Looks into a file, through gzip, zip and the like, and reads on as rows.

    Raises:
        FormatError: it is nothing that can be read; the iterator raises it, too, where the file breaks.
    """
    names: list[str] = []
    for _ in range(LAYERS):
        head, chunks = peek(chunks, HEAD)
        container = identify(head)
        if container is None:
            return Source((*names, "JSON lines"), "line", _json(chunks))
        names.append(container.name)
        if container.kind in UNPACK:
            chunks = capped(UNPACK[container.kind](chunks), max_bytes)
        else:
            return Source(tuple(names), "row", _reader(container)(chunks))
    raise FormatError("the file is packed more than three times", "Unpack it.")


def _reader(container: Container) -> Callable[[Iterable[bytes]], Rows]:
    if container.kind not in _READERS:
        raise FormatError(f"the file is {container.name}: there are no rows that can be converted", container.mend)
    return _READERS[container.kind]


def _json(chunks: Iterable[bytes]) -> Rows:
    for number, line in enumerate(lines(chunks), 1):
        line = (line.removeprefix(BOM) if number == 1 else line).strip()
        if line:
            yield number, _value(line)


def _value(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except UnicodeDecodeError:
        return CannotConvertError("it is no UTF-8")
    except (msgspec.DecodeError, RecursionError) as error:
        return CannotConvertError(f"it is no JSON: {error}")


def _python(chunks: Iterable[bytes]) -> Rows:
    for number, line in enumerate(lines(chunks), 1):
        if line.strip():
            wrong = CannotConvertError("it is no dict of Python with texts, numbers and lists alone")
            yield number, literal(line.decode("utf-8", "replace").removeprefix("\ufeff"), wrong)


def _parquet(chunks: Iterable[bytes]) -> Rows:
    with seekable(chunks) as file:
        yield from _json(parquet_lines(file))


def _csv(chunks: Iterable[bytes]) -> Rows:
    head, chunks = peek(chunks, HEAD)
    delimiter = csv_delimiter(head.removeprefix(BOM).lstrip()) or ","
    text = io.TextIOWrapper(io.BufferedReader(ChunkFile(chunks)), encoding="utf-8-sig", newline="")
    csv.field_size_limit(MAX_CELL)
    number = 0
    try:
        reader = csv.DictReader(text, delimiter=delimiter, strict=True)
        names = Counter(reader.fieldnames or ())
        if twice := next((name for name, count in names.items() if count > 1), None):
            raise FormatError(f"two columns are named {named(twice)}", "Give each column a name of its own.")
        for number, row in enumerate(reader, 1):
            if None in row:
                yield number, CannotConvertError("it has more cells than the header has names")
            else:
                yield number, {key: value for key, value in row.items() if value is not None}
    except UnicodeDecodeError as error:
        raise FormatError(f"row {number + 1} is no UTF-8", "Save the file as UTF-8.") from error
    except csv.Error as error:
        raise FormatError(f"row {number + 1} is no CSV: {error}", "Write it with a CSV library.") from error


_READERS: dict[str, Callable[[Iterable[bytes]], Rows]] = {
    "array": lambda chunks: _json(array_lines(chunks)),
    "object": lambda chunks: _json(object_lines(chunks)),
    "parquet": _parquet,
    "csv": _csv,
    "tsv": _csv,
    "python": _python,
}
