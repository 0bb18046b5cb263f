"""From bytes to rows: physical lines, decoded strictly, one finding for each line that is not a JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shared.datasets.findings import Finding

MAX_LINE = 16 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
_MAGIC = {
    b"\x1f\x8b": ("gzip", "unpack it"),
    b"PK\x03\x04": ("a zip archive", "unpack it"),
    b"PAR1": ("Parquet", "convert it to JSON lines"),
    b"\xff\xfe": ("UTF-16", "save it as UTF-8"),
    b"\xfe\xff": ("UTF-16", "save it as UTF-8"),
}


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Physical lines without their ends, whatever the sizes of the chunks."""
    rest: list[bytes] = []
    for chunk in chunks:
        *whole, tail = chunk.split(b"\n")
        if whole:
            yield b"".join([*rest, whole[0]])
            yield from whole[1:]
            rest = []
        if tail:
            rest.append(tail)
    if rest:
        yield b"".join(rest)


def foreign(start: bytes) -> Finding | None:
    """What a file is when its first bytes say that it is no JSON lines at all."""
    for magic, (name, fix) in _MAGIC.items():
        if start.startswith(magic):
            return _file_error("not_jsonl", f"the file is {name}, not JSON lines", fix)
    head = start.removeprefix(BOM).lstrip()
    if head.startswith(b"["):
        return _file_error("not_jsonl", "the file is one JSON array, not JSON lines", "write one object a line")
    return None


def decode(line: bytes, number: int) -> tuple[Any, Finding | None]:
    """The value of one line, or the finding that says why it has none."""
    if len(line) > MAX_LINE:
        return None, _line_error("line_too_long", f"the line has {len(line):,} bytes", "split the conversation", number)
    if b"\x00" in line:
        return None, _line_error("nul_byte", "the line holds a NUL byte", "write the file anew as UTF-8", number)
    try:
        return msgspec.json.decode(line), None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return None, _broken(line, number, error)


def _broken(line: bytes, number: int, error: Exception) -> Finding:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as utf8:
        message = f"byte {utf8.start + 1} of the line is no UTF-8"
        return _line_error("invalid_utf8", message, "save the file as UTF-8", number)
    fix = "write one complete JSON object on the line: double quotes, no trailing comma"
    return _line_error("invalid_json", f"the line is no JSON: {error}", fix, number)


def _file_error(code: str, message: str, fix: str) -> Finding:
    return Finding(code=code, severity="error", message=message, fix=fix)


def _line_error(code: str, message: str, fix: str, line: int) -> Finding:
    return Finding(code=code, severity="error", message=message, fix=fix, line=line)
