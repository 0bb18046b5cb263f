"""What a file is, told by how it begins: a chat dataset, or something else that is named in one finding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from shared.datasets.findings import Finding
from shared.datasets.rows.blocks import Block
from shared.datasets.rulebook import CHAT, found

if TYPE_CHECKING:
    from shared.datasets.formats.shapes import Shape

HEAD = 64 * 1024
LOOKED_AT = 10
_BOM = b"\xef\xbb\xbf"
_any = msgspec.json.Decoder().decode


def beginning(block: Block, name: str) -> Finding | None:
    """A finding where the file is no chat dataset at all: another kind of file, or rows of another format."""
    head = bytes(block.data[: min(block.size, HEAD)])
    return (_container(head) if name.lower().endswith((".jsonl", ".jsonl.gz")) else None) or _shape(block, name)


def _container(head: bytes) -> Finding | None:
    from shared.datasets.formats.containers import identify

    container = identify(head)
    if container is None or container.kind == "empty":
        return None
    return found("not_jsonl", f"the file is {container.name}, not JSON lines", fix=container.mend)


def _shape(block: Block, name: str) -> Finding | None:
    """The format of the first rows, where they all are of one that is known and is not chat."""
    from shared.datasets.formats.shapes import shape_of

    rows = list(_rows(block))
    shapes = [shape_of(row) for row in rows]
    if not shapes or shapes[0] is None or any(shape is None or shape.name != shapes[0].name for shape in shapes):
        return None
    return found("other_format", f"the rows are {shapes[0].name}, not chat", 1, fix=_mend(shapes[0], rows, name))


def _mend(shape: Shape, rows: list[Any], name: str) -> str:
    """How to get chat rows out of them; why that cannot be, where it cannot."""
    from shared.datasets.formats.errors import CannotConvertError

    why = ""
    for row in rows:
        try:
            shape.convert(row)
        except CannotConvertError as error:
            why = why or error.reason
        else:
            stem = name.split(".")[0]
            return f"Convert it: droptune convert {name} -o {stem}.chat.jsonl"
    return f"It cannot be converted: {why}. Write {CHAT}."


def _rows(block: Block) -> Iterator[Any]:
    """The first rows that are JSON at all; None for what is no object."""
    for line in bytes(block.data[: min(block.size, HEAD)]).removeprefix(_BOM).split(b"\n")[:LOOKED_AT]:
        try:
            yield _any(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
