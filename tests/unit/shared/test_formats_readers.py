"""`.json`, `.jsonl.gz` and `.parquet` as JSON lines: the same whatever the chunks, and a place where they break."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.datasets.formats import arrays, gzips
from shared.datasets.formats.arrays import object_lines
from shared.datasets.formats.blocks import lines, peek, same_sized
from shared.datasets.formats.errors import FormatError
from shared.datasets.formats.readers import as_lines, suffix_of

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
SIZES = st.lists(st.integers(0, 40), max_size=30)
PIECES = st.sampled_from([b"[", b"]", b"{", b"}", b",", b'"', b"\\", b"\n", b" ", b"1", b"a", b":", b"\xff", b"\x00"])


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield data[start : start + size]
        start += size
    yield data[start:]


def read(suffix: str, chunks: Any, max_bytes: int = 1 << 40) -> tuple[bytes, str]:
    """All that comes out, and the error that ends it, if one does."""
    out = b""
    try:
        for piece in as_lines(suffix, chunks, max_bytes):
            out += piece
    except FormatError as error:
        assert error.fix
        return out, error.reason
    return out, ""


@given(st.lists(VALUES, max_size=12), st.sampled_from([None, 0, 2]), st.booleans(), SIZES)
def test_an_array_comes_out_as_its_elements_a_line_each(
    values: list[Any], indent: int | None, ascii_only: bool, sizes: list[int]
) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    out, error = read(".json", cut(data, sizes))
    assert error == ""
    assert [json.loads(line) for line in out.split(b"\n")[:-1]] == values


@given(st.lists(PIECES, max_size=40).map(b"".join) | st.binary(max_size=80), SIZES, st.integers(3, 9))
@example(b'["a\\\\", "b\\"]"]', [5, 1, 1, 1], 3)
def test_any_bytes_come_out_the_same_whatever_the_chunks_and_blocks(data: bytes, sizes: list[int], block: int) -> None:
    whole = read(".json", [data])
    assert read(".json", cut(data, sizes)) == whole
    big, arrays.BLOCK = arrays.BLOCK, block
    try:
        assert read(".json", cut(data, sizes)) == whole
    finally:
        arrays.BLOCK = big


@given(st.binary(max_size=200), SIZES)
def test_any_bytes_are_gzip_or_an_error(data: bytes, sizes: list[int]) -> None:
    assert read(".jsonl.gz", cut(data, sizes)) == read(".jsonl.gz", [data])
    assert read(".jsonl.gz", [data])[1] or not data


BROKEN = {
    "no closing bracket": (b'[{"a": 1}, {"b": 2}', b'{"a": 1}\n{"b": 2}\n', "not closed"),
    "cut off in an element": (b'[{"a": 1}, {"b": "x', b'{"a": 1}\n{"b": "x\n', "in the middle of element 2"),
    "a comma before the bracket": (b'[{"a": 1},]', b'{"a": 1}\n', "closing bracket at byte 11"),
    "two commas": (b'[{"a": 1},,{}]', b'{"a": 1}\n', "byte 11 has nothing before it"),
    "a comma first": (b"[,{}]", b"", "byte 2 has nothing"),
    "something after the end": (b"[{}]\n{}", b"{}\n", "after the array's closing bracket, at byte 6"),
    "JSON lines": (b'{"a": 1}\n', b"", "no JSON array: an object stands at byte 1"),
    "another file": (b"PAR1", b"", "no JSON array"),
    "no comma": (b"[{} {}]", b"{} {}\n", ""),
    "a bracket too many": (b"[{}}, {}]", b"{}}\n{}\n", ""),
    "a line end in a text": (b'[{"a": "x\ny"}]', b'{"a": "x\ry"}\n', ""),
    "an empty file": (b"", b"", ""),
    "an empty array after a BOM": (b"\xef\xbb\xbf [ ] \n", b"", ""),
}


@pytest.mark.parametrize(("data", "out", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_array_gives_what_it_holds_and_the_place_where_it_breaks(data: bytes, out: bytes, reason: str) -> None:
    found = read(".json", [data])
    assert found[0] == out
    assert (reason in found[1]) if reason else not found[1]


def test_objects_over_many_lines_come_out_a_line_each() -> None:
    rows = [{"a": [1, {"b": "}"}]}, {"c": "\\"}]
    data = "\n".join(json.dumps(row, indent=2) for row in rows).encode()
    assert [json.loads(line) for line in b"".join(object_lines([data])).split(b"\n")[:-1]] == rows
    with pytest.raises(FormatError, match="comma"):
        list(object_lines([b"{},\n{}"]))


ROWS = b"".join(json.dumps({"n": n, "x": random.Random(n).random()}).encode() + b"\n" for n in range(9000))


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 26])
def test_gzip_of_several_members_comes_out_whole_whatever_the_chunks(size: int) -> None:
    data = gzip.compress(ROWS[:1000]) + gzip.compress(b"") + gzip.compress(ROWS[1000:]) + b"\x00" * 512
    out, error = read(".jsonl.gz", same_sized([data], size))
    assert error == ""
    assert out == ROWS


def test_broken_gzip_is_an_error_that_says_where() -> None:
    packed = gzip.compress(ROWS)
    assert "cut off" in read(".jsonl.gz", [packed[:-1]])[1]
    assert "cut off" in read(".jsonl.gz", [packed[:5000]])[1]
    assert "something else follows its end" in read(".jsonl.gz", [packed + b"garbage"])[1]
    assert "no gzip stream" in read(".jsonl.gz", [ROWS])[1]
    wrong = bytearray(packed)
    wrong[len(wrong) // 2] ^= 0xFF
    assert "broken between byte" in read(".jsonl.gz", [bytes(wrong)])[1]
    wrong = bytearray(packed)
    wrong[-6] ^= 0xFF
    assert "incorrect data check" in read(".jsonl.gz", [bytes(wrong)])[1]


def test_a_zip_bomb_ends_at_the_ceiling_and_never_comes_out_in_one_piece() -> None:
    bomb = gzip.compress(b"\x00" * (1 << 24))
    assert max(map(len, gzips.gunzip([bomb]))) <= gzips.OUTPUT
    out, error = read(".jsonl.gz", [bomb], max_bytes=1 << 20)
    assert "more than 1,048,576 bytes" in error
    assert len(out) <= 1 << 20


def test_json_lines_pass_as_they_are() -> None:
    assert list(as_lines(".jsonl", [b"a\n", b"\x00"])) == [b"a\n", b"\x00"]


def test_the_suffix_says_how_a_file_is_read() -> None:
    told = {"a.jsonl": ".jsonl", "a.JSON": ".json", "a.jsonl.gz": ".jsonl.gz", "a.Parquet": ".parquet", "a": ".jsonl"}
    assert {name: suffix_of(name) for name in told} == told


def parquet(rows: list[Any], **options: Any) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as pq

    held = io.BytesIO()
    pq.write_table(pyarrow.Table.from_pylist(rows), held, **options)
    return held.getvalue()


CALL = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CHATS = [
    {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": "a"}], "id": n}
    for n in range(700)
] + [
    {
        "messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "content": "r", "tool_call_id": "1"},
            {"role": "assistant", "content": "a"},
        ],
        "id": 700,
    }
]


def test_parquet_comes_out_row_by_row_without_the_nulls_that_it_fills_in() -> None:
    data = parquet(CHATS, row_group_size=100)
    out, error = read(".parquet", same_sized([data], 1000))
    assert error == ""
    assert [json.loads(line) for line in out.split(b"\n")[:-1]] == CHATS


def test_parquet_of_other_columns_comes_out_as_well() -> None:
    import datetime

    day = datetime.datetime(2026, 11, 25, 1, 2, 3, tzinfo=datetime.UTC)
    out, error = read(".parquet", [parquet([{"prompt": "é", "at": day, "raw": b"\x00\xff", "none": None}])])
    assert error == ""
    assert json.loads(out) == {"prompt": "é", "at": "2026-11-25T01:02:03Z", "raw": "AP8="}


def test_broken_parquet_is_an_error() -> None:
    data = parquet(CHATS)
    for wrong in (b"PAR1", b"", data[:-9], data[: len(data) // 2], b"PAR1" + b"x" * 90 + data[-8:]):
        assert "the Parquet file is broken after row 0" in read(".parquet", [wrong])[1]


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_any_bytes_as_parquet_are_an_error(data: bytes) -> None:
    pytest.importorskip("pyarrow")
    assert read(".parquet", [b"PAR1" + data + b"PAR1"])[1]


@given(st.binary(max_size=60), SIZES, st.integers(1, 20))
def test_chunks_are_cut_anew_and_looked_into_without_losing_a_byte(data: bytes, sizes: list[int], size: int) -> None:
    blocks = list(same_sized(cut(data, sizes), size))
    assert b"".join(blocks) == data
    assert all(len(block) == size for block in blocks[:-1])
    head, rest = peek(cut(data, sizes), size)
    assert head == data[:size]
    assert b"".join(rest) == data
    whole = data.split(b"\n")
    assert list(lines(cut(data, sizes))) == (whole if whole[-1] else whole[:-1])
