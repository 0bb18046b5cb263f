"""A whole file as chat rows: whatever the bytes, there are rows or a reason, and the account adds up."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.formats.conversion import LISTED, Account, convert
from shared.datasets.formats.errors import CannotConvertError, FormatError
from shared.datasets.formats.sources import open_source
from shared.errors import DroptuneError

ROWS = [{"prompt": f"q{n}", "response": f"a{n}"} for n in range(6)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
CSV = b"prompt,response\n" + b"".join(f'q{n},"a{n}"\n'.encode() for n in range(6))


def zipped(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.jsonl", data)
    return held.getvalue()


FILES = {
    "lines": LINES,
    "array": json.dumps(ROWS, indent=1).encode(),
    "gzip": gzip.compress(LINES, mtime=0),
    "bz2": bz2.compress(LINES),
    "xz": lzma.compress(LINES),
    "zip": zipped(LINES),
    "csv": CSV,
    "utf-16": LINES.decode().encode("utf-16"),
    "objects": "\n".join(json.dumps(row, indent=1) for row in ROWS).encode(),
    "python": "".join(f"{row}\n" for row in ROWS).encode(),
}


def run(chunks: list[bytes], skip: bool = True) -> tuple[bytes, Account]:
    account = Account()
    return b"".join(convert(chunks, account, skip=skip)), account


def settle(data: bytes, size: int) -> str:
    """What becomes of a file, as one text: its rows, or the reason why there are none."""
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    try:
        out, account = run(chunks)
    except DroptuneError as error:
        assert error.reason
        return error.reason
    assert account.rows_in == account.rows_out + account.refused_total
    assert account.rows_out == out.count(b"\n") == sum(account.shapes.values())
    return out.decode()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [1, 13, 1 << 20])
def test_the_sizes_of_chunks_make_no_difference(name: str, size: int) -> None:
    assert settle(FILES[name], size) == settle(FILES["lines"], 1 << 20)


@given(
    st.sampled_from(list(FILES.values())),
    st.lists(st.tuples(st.integers(0, 600), st.binary(max_size=4)), max_size=3),
    st.integers(1, 700),
)
def test_a_file_damaged_anywhere_gives_rows_or_a_reason(
    data: bytes, wounds: list[tuple[int, bytes]], size: int
) -> None:
    for place, patch in wounds:
        data = data[:place] + patch + data[place + len(patch) :]
    assert settle(data, size) == settle(data, 1 << 20)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"prompt,response\n", b"[", b"{\n", b"PK\x03\x04", b"BZh91AY&SY", b"\xff\xfe"]),
)
def test_any_bytes_give_rows_or_a_reason(data: bytes, start: bytes) -> None:
    settle(start + data, 1 << 20)


def test_only_the_first_thousand_rows_that_cannot_be_converted_are_listed_but_all_are_counted() -> None:
    _, account = run([LINES + b'{"x": 1}\n' * 1500])
    assert (account.refused_total, len(account.refused), account.rows_in) == (1500, LISTED, 1506)


def test_without_leave_to_skip_the_first_one_ends_it() -> None:
    with pytest.raises(CannotConvertError, match="line 7: the row is of no shape"):
        run([LINES + b'{"x": 1}\n'], skip=False)


def test_names_of_what_is_left_out_are_counted_apart_up_to_a_number() -> None:
    lines = [json.dumps({"prompt": "q", "response": "a", f"x{n}": 1}).encode() + b"\n" for n in range(300)]
    _, account = run(lines)
    assert account.left_out["the column `x199`"] == 1
    assert account.left_out["what has yet other names"] == 100


def test_several_shapes_in_a_file_are_counted_apart() -> None:
    _, account = run([LINES, b'{"instruction": "q", "output": "a"}\n', FILES["lines"]])
    assert account.shapes == {"prompt/response": 12, "Alpaca": 1}


def test_what_is_packed_again_and_again_is_refused() -> None:
    data = LINES
    for _ in range(3):
        data = gzip.compress(data)
    assert settle(data, 100) == settle(LINES, 100)
    with pytest.raises(FormatError, match="packed more than three times"):
        run([gzip.compress(data)])


def test_more_than_the_ceiling_is_refused_at_any_layer() -> None:
    bomb = gzip.compress(gzip.compress(b'{"a": "' + b"x" * 4_000_000 + b'"}\n'))
    with pytest.raises(FormatError, match="more than 1,000,000 bytes"):
        list(open_source([bomb], max_bytes=1_000_000).rows)


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.datasets.formats.blocks.MAX_LINE", 1000)
    with pytest.raises(FormatError, match="longer than 1,000 bytes"):
        run([b'{"a": "', *[b"x" * 100] * 20])
