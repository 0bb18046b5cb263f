"""What a file is when it is no JSON lines, told by its first bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from shared.datasets.formats.texts import csv_delimiter, is_array, is_printed_object, is_python_dicts, wide_encoding

HEAD = 64 * 1024
BOM = b"\xef\xbb\xbf"
_CONVERT = "Convert it: droptune convert FILE -o OUT.jsonl"
_UNPACK = "Unpack it and drop the dataset that it holds."


@dataclass(frozen=True)
class Container:
    """A format: `kind` for programs, `name` as people call it, `mend` says what to do instead."""

    kind: str
    name: str
    mend: str


def _taken(suffix: str) -> str:
    return (
        f"Name it {suffix}, under which droptune takes it as it is, or convert it: droptune convert FILE -o OUT.jsonl"
    )


_ALL = (
    Container("empty", "an empty file", "Write one conversation a line."),
    Container("gzip", "gzip", _taken(".jsonl.gz")),
    Container("zip", "a zip archive", f"{_CONVERT} (where it holds one file), or unpack it."),
    Container("office", "an Office file", "Save the sheet as CSV (UTF-8), then: droptune convert FILE -o OUT.jsonl"),
    Container("tar", "a tar archive", _UNPACK),
    Container("xz", "xz", _CONVERT),
    Container("bz2", "bzip2", _CONVERT),
    Container("zstd", "zstd", "Unpack it: zstd -d FILE"),
    Container("lz4", "lz4", "Unpack it: lz4 -d FILE"),
    Container("7z", "a 7z archive", _UNPACK),
    Container("rar", "a RAR archive", _UNPACK),
    Container("parquet", "Parquet", _taken(".parquet")),
    Container("arrow", "Arrow (Feather)", "Write it as Parquet: pyarrow.parquet.write_table(table, 'OUT.parquet')"),
    Container("sqlite", "an SQLite database", "Export the rows as CSV, then: droptune convert FILE -o OUT.jsonl"),
    Container("pdf", "PDF", "Write the conversations as JSON lines, one a line: a PDF holds none."),
    Container("hdf5", "HDF5", "Write the rows as JSON lines, one object a line."),
    Container("pickle", "a Python pickle", "Write the rows as JSON lines: json.dumps(row) on each."),
    Container("lfs", "a Git LFS pointer, not the file itself", "Fetch the file: git lfs pull"),
    Container("html", "an HTML page", "Download the file itself, not the page that shows it."),
    Container("xml", "XML", "Write the conversations as JSON lines, one object a line."),
    Container("utf-16", "UTF-16", f"Save it as UTF-8, or: {_CONVERT[12:]}"),
    Container("utf-32", "UTF-32", f"Save it as UTF-8, or: {_CONVERT[12:]}"),
    Container("array", "a JSON array", _taken(".json")),
    Container("object", "pretty-printed JSON, an object over many lines", _CONVERT),
    Container("python", "Python dicts, not JSON", f"Write it with json.dumps(row), or: {_CONVERT[12:]}"),
    Container("csv", "CSV", _CONVERT),
    Container("tsv", "TSV", _CONVERT),
    Container("yaml", "YAML", "Write the conversations as JSON lines, one object a line."),
)
CONTAINERS: dict[str, Container] = {container.kind: container for container in _ALL}

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"PAR1": "parquet",
    b"PARE": "parquet",
    b"ARROW1": "arrow",
    b"FEA1": "arrow",
    b"\xff\xff\xff\xff": "arrow",
    b"SQLite format 3\x00": "sqlite",
    b"%PDF-": "pdf",
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"\x80\x04\x95": "pickle",
    b"\x80\x05\x95": "pickle",
    b"version https://git-lfs.github.com/": "lfs",
}
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)")
_HTML = re.compile(rb"(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_XML = re.compile(rb"<(?:\?xml|[A-Za-z][\w:-]*[\s/>])")
_KEYS = rb"(?:messages|conversations|instruction|prompt|question|input|system|role|content|text|chosen)"
_YAML = re.compile(rb"(?:%YAML|---[ \t]*\r?\n(?!\s*[{\[])|(?:- )?" + _KEYS + rb":(?:\s|$))")
_OFFICE = re.compile(rb"\[Content_Types\]\.xml|_rels/\.rels|xl/|word/|mimetypeapplication/vnd\.oasis")


def identify(head: bytes) -> Container | None:
    """What a file is by its first bytes (64 KB, or all of a smaller file); None where it may be JSON lines.

    Broken JSON lines are None, too: their lines are told one by one.

    >>> identify(b"[{}, {}]").name
    'a JSON array'
    >>> identify(b'{"messages": []}') is None
    True
    """
    kind = _by_bytes(head) or _by_text(head)
    return CONTAINERS[kind] if kind else None


def _by_bytes(head: bytes) -> str | None:
    if encoding := wide_encoding(head):
        return encoding[:6]
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return "office" if kind == "zip" and _OFFICE.search(head) else kind
    if head[257:262] == b"ustar":
        return "tar"
    return "bz2" if _BZIP2.match(head) else None


_TEXTS: tuple[tuple[str, Callable[[bytes], object]], ...] = (
    ("array", is_array),
    ("object", is_printed_object),
    ("python", is_python_dicts),
    ("html", _HTML.match),
    ("xml", _XML.match),
    ("yaml", _YAML.match),
    ("tsv", lambda text: csv_delimiter(text) == "\t"),
    ("csv", csv_delimiter),
)


def _by_text(head: bytes) -> str | None:
    text = head.removeprefix(BOM).lstrip(b" \t\r\n")
    if not text:
        return "empty" if len(head) < HEAD else None
    return next((kind for kind, fits in _TEXTS if fits(text)), None)
