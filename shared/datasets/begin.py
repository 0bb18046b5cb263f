"""What a file is, told by how it begins: a chat dataset, or something else that is named in one finding."""

from __future__ import annotations

import msgspec

from shared.datasets.blocks import Block
from shared.datasets.findings import Finding
from shared.datasets.rulebook import found

HEAD = 64 * 1024
LOOKED_AT = 10
_BOM = b"\xef\xbb\xbf"
_any = msgspec.json.Decoder().decode


def beginning(block: Block, name: str) -> Finding | None:
    """A finding where the file is no chat dataset at all: another kind of file, or rows of another format."""
    head = bytes(block.data[: min(block.size, HEAD)])
    return (_container(head) if name.lower().endswith((".jsonl", ".jsonl.gz")) else None) or _shape(block)


def _container(head: bytes) -> Finding | None:
    from shared.datasets.formats.containers import identify

    container = identify(head)
    if container is None or container.kind == "empty":
        return None
    return found("not_jsonl", f"the file is {container.name}, not JSON lines", fix=container.mend)


def _shape(block: Block) -> Finding | None:
    """The format of the first rows, where they all are of one that is known and is not chat."""
    from shared.datasets.formats.shapes import shape_of

    shapes = []
    for line in bytes(block.data[: min(block.size, HEAD)]).removeprefix(_BOM).split(b"\n")[:LOOKED_AT]:
        try:
            row = _any(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        shapes.append(shape_of(row) if isinstance(row, dict) else None)
    if not shapes or shapes[0] is None or any(shape is None or shape.name != shapes[0].name for shape in shapes):
        return None
    return found("other_format", f"the rows are {shapes[0].name}, not chat", 1)
