"""Which kind of text a file begins with, where it is no JSON lines; each test errs on the side of JSON lines."""

from __future__ import annotations

import re

import msgspec

_WIDE = {b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_NULS = {"utf-32-be": "0001", "utf-32-le": "1000", "utf-16-be": "0101", "utf-16-le": "1010"}
_ARRAY = re.compile(rb'\[\s*(?:[\[{"\]]|$)')
_MEMBER = re.compile(rb'\s*"(?:[^"\\\n]|\\.)*"\s*:')
_PYTHON = re.compile(rb"\{\s*'[^'\n]*'\s*:")
_NAME = re.compile(r"[\w][\w .-]{0,63}")
_COLUMNS = re.compile(
    r"messages|conversations?|instruction|input|output|prompt|completion|response|question|answer|query|text|context"
    r"|chosen|rejected|system|user|assistant|human|input_text|output_text|problem|solution",
    re.IGNORECASE,
)


def wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32, by the byte order mark or by where the NUL bytes stand (RFC 4627, section 3).

    >>> wide_encoding("{}".encode("utf-16-le"))
    'utf-16-le'
    """
    for mark, name in _WIDE.items():
        if head.startswith(mark):
            return name
    for name, pattern in _NULS.items():
        start = head[:64]
        whole = len(start) // len(pattern) * len(pattern)
        wanted = pattern * (whole // len(pattern))
        if whole and "".join("1" if byte else "0" for byte in start[:whole]) == wanted:
            return name
    return None


def is_array(text: bytes) -> bool:
    """One JSON array; lines that are each an array of their own are JSON lines."""
    if not _ARRAY.match(text):
        return False
    line, _, rest = text.partition(b"\n")
    return not (_is_json(line) and rest.lstrip()[:1] in (b"[", b"{"))


def is_printed_object(text: bytes) -> bool:
    """An object whose first line is only its beginning, and whose second line goes on with a member."""
    line, end, rest = text.partition(b"\n")
    line = line.rstrip()
    if not end or not line.startswith(b"{") or line[-1:] not in (b"{", b"[", b","):
        return False
    rest = rest.lstrip()
    opens_list = line.endswith(b"[") and rest[:1] == b"{" and not _is_json(rest.partition(b"\n")[0])
    return opens_list or _MEMBER.match(rest) is not None


def is_python_dicts(text: bytes) -> bool:
    """Lines that are all written by Python's `print`, two of them at least."""
    lines = [line for line in text.split(b"\n")[:6] if line.strip()]
    return len(lines) > 1 and all(_PYTHON.match(line.lstrip()) for line in lines)


def csv_delimiter(text: bytes) -> str | None:
    """What separates the columns of a CSV file whose first line names at least one column that we know, else None.

    >>> csv_delimiter(b"prompt,completion")
    ','
    """
    try:
        line = text.partition(b"\n")[0][:4096].decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    for delimiter in ("\t", ",", ";", "|"):
        names = [name.strip().strip('"') for name in line.split(delimiter)]
        good = len(names) > 1 and all(_NAME.fullmatch(name) for name in names)
        if good and any(_COLUMNS.fullmatch(name) for name in names):
            return delimiter
    return None


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
