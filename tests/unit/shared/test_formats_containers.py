"""What a file is by its first bytes; JSON lines, broken or not, are nothing else."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.formats.containers import HEAD, identify

ROW = b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}\n'
TEXT = ROW.decode() * 3


def zipped(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return held.getvalue()


def tarred() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        entry = tarfile.TarInfo("chats.jsonl")
        entry.size = len(ROW)
        archive.addfile(entry, io.BytesIO(ROW))
    return held.getvalue()


KNOWN = {
    "empty": [b"", b" \r\n\n", b"\xef\xbb\xbf"],
    "gzip": [gzip.compress(ROW)],
    "zip": [zipped("a.jsonl"), zipped()],
    "office": [zipped("[Content_Types].xml", "xl/workbook.xml")],
    "tar": [tarred()],
    "xz": [lzma.compress(ROW)],
    "bz2": [bz2.compress(ROW), bz2.compress(b"")],
    "zstd": [b"\x28\xb5\x2f\xfd\x04\x00"],
    "7z": [b"7z\xbc\xaf\x27\x1c\x00"],
    "rar": [b"Rar!\x1a\x07\x01\x00"],
    "parquet": [b"PAR1\x15\x04"],
    "arrow": [b"ARROW1\x00\x00", b"\xff\xff\xff\xff\x10\x00"],
    "sqlite": [b"SQLite format 3\x00\x10"],
    "pdf": [b"%PDF-1.7\n"],
    "hdf5": [b"\x89HDF\r\n\x1a\n"],
    "pickle": [b"\x80\x04\x95\x00"],
    "lfs": [b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n"],
    "html": [b"<!DOCTYPE html>\n<html>", b"  <html lang='en'>", b"<!-- x --><HTML>"],
    "xml": [b'<?xml version="1.0"?><Error/>', b"<rows><row/></rows>"],
    "utf-16": [TEXT.encode("utf-16"), TEXT.encode("utf-16-le"), TEXT.encode("utf-16-be"), b"\xfe\xff\x00{"],
    "utf-32": [TEXT.encode("utf-32"), TEXT.encode("utf-32-le"), TEXT.encode("utf-32-be")],
    "array": [
        b"[]",
        b"[",
        b"[{}]",
        b'\n [\n  {"a": 1}',
        b"\xef\xbb\xbf[" + ROW,
        b'["a"]',
        b'[{"a": 1}]\n',
        b'[{"a": 1},\n{}]',
    ],
    "object": [
        b'{\n  "messages": [\n',
        b'{"messages": [\n  {"role": "user",\n',
        b'{"a": 1,\n "b": 2}',
        b'{\r\n"a": 1\r\n}',
    ],
    "python": [b"{'messages': []}\n{'messages': []}\n"],
    "csv": [
        b"prompt,completion\na,b\n",
        b'"question","answer"\n',
        b"id;question;answer\n",
        b"\xef\xbb\xbfprompt,response",
    ],
    "tsv": [b"prompt\tcompletion\na\tb\n"],
    "yaml": [b"---\nmessages:\n", b"- messages:\n  - role: user\n", b"messages:\n", b"- role: user\n"],
}
JSON_LINES = [
    ROW,
    b"\xef\xbb\xbf" + ROW,
    b"\n\n" + ROW,
    ROW.replace(b"\n", b"\r\n") * 2,
    b"{\n" + ROW,
    b"{\n",
    b"{",
    b'{"messages": [\n' + ROW,
    b'{"messages": [{"role": "user",\n' + ROW,
    b"{'messages': []}\n" + ROW,
    b"{'messages': []}\n",
    b"[1, 2]\n[3]\n",
    b"[1, 2]",
    b'[{"role": "user", "content": "q"}]\n[{"role": "user", "content": "q"}]\n',
    b"[]\n" + ROW,
    b"[INST] hello [/INST]\n",
    b"[2026-01-01] started\n",
    b"hello, world\n",
    b"Dear user, input and output matter.\n",
    b'{"messages": "a\x00b"}\n',
    b"{\x00" + ROW,
    b'"prompt","a row that was broken, with {braces}"\n',
    b"null\n",
    b"BZh1 is a chess move\n",
    b"PK is a name\n",
    b"- a list\n",
]


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        pytest.param(kind, head, id=f"{kind} {number}")
        for kind, heads in KNOWN.items()
        for number, head in enumerate(heads)
    ],
)
def test_a_file_is_known_by_its_first_bytes_and_told_how_to_mend(kind: str, head: bytes) -> None:
    found = identify(head[:HEAD])
    assert found is not None
    assert found.kind == kind
    assert found.name
    assert found.mend


@pytest.mark.parametrize("head", JSON_LINES)
def test_json_lines_broken_or_not_are_nothing_else(head: bytes) -> None:
    assert identify(head) is None


@given(st.binary(max_size=400))
def test_any_bytes_get_an_answer_and_never_a_crash(head: bytes) -> None:
    found = identify(head)
    assert found is None or found.name


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text(), VALUES, max_size=4), min_size=1, max_size=5),
    st.booleans(),
    st.integers(0, 400),
)
def test_objects_one_a_line_are_json_lines_wherever_they_are_cut_off(
    rows: list[Any], ascii_only: bool, cut: int
) -> None:
    data = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows).encode()
    assert identify(data) is None
    assert identify(data[: max(1, cut)]) is None


def test_blank_lines_for_as_long_as_one_looks_may_still_be_followed_by_rows() -> None:
    assert identify(b"\n" * HEAD) is None
