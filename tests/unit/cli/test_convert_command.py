"""`droptune convert` as people and programs call it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import main

EXAMPLES = Path(__file__).parents[3] / "examples" / "formats"
ALPACA = [{"instruction": f"q{n}", "input": "", "output": f"a{n}"} for n in range(20)]
CHATS = [
    {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"a{n}"}]} for n in range(20)
]
LINES = "".join(json.dumps(row) + "\n" for row in ALPACA).encode()
ROLES = {"system", "user", "assistant", "tool"}


def droptune(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def test_a_file_is_converted_and_told_what_was_done(tmp_path: Path, out: Path) -> None:
    file = tmp_path / "alpaca.json"
    file.write_text(json.dumps([{**row, "id": 1} for row in ALPACA], indent=2))
    result = droptune("convert", file, "-o", out)
    assert result.exit_code == 0
    assert rows(out) == CHATS
    assert "a JSON array; 20 rows written" in result.stdout
    assert "20 rows: Alpaca" in result.stdout
    assert "left out 20 ×: the column `id`" in result.stdout


def test_json_is_one_document_on_stdout_and_nothing_else(tmp_path: Path, out: Path) -> None:
    file = tmp_path / "alpaca.jsonl"
    file.write_bytes(LINES + b'{"instruction": "q", "output": ""}\n')
    result = droptune("convert", file, "-o", out, "--skip", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "file": str(file),
        "out": str(out),
        "containers": ["JSON lines"],
        "rows_in": 21,
        "rows_out": 20,
        "shapes": {"Alpaca": 20},
        "left_out": {},
        "refused_total": 1,
        "refused": [{"line": 21, "reason": "there is no answer of the assistant"}],
    }


def zipped(**members: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._chats.jsonl", b"clutter")
        for name, data in members.items():
            archive.writestr(name, data)
    return held.getvalue()


TSV = "instruction\toutput\n" + "".join(f"q{n}\ta{n}\n" for n in range(20))
PACKED = {
    "gzip": gzip.compress(LINES),
    "bzip2": bz2.compress(LINES),
    "xz": lzma.compress(LINES),
    "zip": zipped(chats=LINES),
    "gzip in zip": zipped(chats=gzip.compress(LINES)),
    "an array in gzip": gzip.compress(json.dumps(ALPACA).encode()),
    "UTF-16 without a mark": LINES.decode().encode("utf-16-le"),
    "UTF-32": LINES.decode().encode("utf-32"),
    "UTF-16 TSV of Excel": TSV.encode("utf-16"),
    "CSV with semicolons": TSV.replace("\t", ";").encode("utf-8-sig"),
    "pretty-printed objects": "\n".join(json.dumps(row, indent=2) for row in ALPACA).encode(),
    "Python dicts": "".join(f"{row}\n" for row in ALPACA).encode(),
    "CRLF and blank lines": LINES.replace(b"\n", b"\r\n\r\n"),
    "a BOM": b"\xef\xbb\xbf" + LINES,
    "bare lists": "".join(json.dumps(row["messages"]) + "\n" for row in CHATS).encode(),
    "chat rows": "".join(json.dumps(row) + "\n" for row in CHATS).encode(),
}


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED.keys())
def test_whatever_it_is_packed_in_comes_out_as_the_same_rows(data: bytes, tmp_path: Path, out: Path) -> None:
    file = tmp_path / "dropped"
    file.write_bytes(data)
    result = droptune("convert", file, "-o", out)
    assert result.exit_code == 0, result.stderr
    assert rows(out) == CHATS


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_example_of_a_shape_comes_out_as_the_same_conversations(example: Path, out: Path) -> None:
    if example.suffix == ".parquet":
        pytest.importorskip("pyarrow")
    assert droptune("convert", example, "-o", out, "--skip").exit_code == 0
    said = [[m["content"] for m in row["messages"] if m["role"] != "system"] for row in rows(out)]
    assert len(said) == 16
    assert said == [
        [m["content"] for m in row["messages"]] for row in json.loads((EXAMPLES / "chat.json").read_bytes())
    ]
    assert droptune("check", out).exit_code == 0


BAD = {
    "a row that cannot be turned": (LINES + b'{"instruction": "q", "output": ""}\n', "line 21: there is no answer"),
    "a broken line": (LINES + b'{"instruction": \n', "line 21: it is no JSON"),
    "no UTF-8": (LINES + b'{"instruction": "\xff", "output": "a"}\n', "line 21: it is no UTF-8"),
    "an unknown shape": (
        b'{"title": "x", "year": 1}\n',
        "line 1: the row is of no shape that droptune knows: its columns are `title`, `year`",
    ),
    "rows in a list within": (b'{"data": [{"prompt": "q"}]}\n', '.["data"][]'),
    "no object": (b"3\n", "it is no object"),
    "half a character": (b"{'prompt': '\\ud800', 'response': 'a'}\n" * 2, "half a character"),
    "a broken array": (json.dumps(ALPACA).encode()[:-1], "the array is not closed"),
    "cut-off gzip": (gzip.compress(LINES)[:-20], "cut off"),
    "cut-off bzip2": (bz2.compress(LINES)[:-20], "the bzip2 stream is broken"),
    "cut-off xz": (lzma.compress(LINES)[:-20], "the xz stream is broken"),
    "a cut-off zip": (zipped(chats=LINES)[:-20], "the zip archive is broken"),
    "a zip of two": (zipped(a=LINES, b=LINES), "holds 2 files (`a`, `b`)"),
    "broken UTF-16": (LINES.decode().encode("utf-16") + b"x", "broken UTF-16"),
    "a ragged CSV": (b"prompt,response\nq,a,b\n", "row 1: it has more cells"),
    "a broken CSV": (b'prompt,response\n"q"x,a\n', "row 1 is no CSV"),
    "a CSV with a column twice": (b"prompt,response,prompt\nq,a,b\n", "two columns are named `prompt`"),
    "brackets too deep": (b'{"prompt": "q", "response": ' + b"[" * 700 + b"]" * 700 + b"}\n", "nested too deep"),
    "a name that steers a terminal": (b'{"\\u001b[31mred": 1}\n', "its columns are `\ufffd[31mred`"),
    "a CSV that is no UTF-8": (b"prompt,response\nq,\xff\n", "no UTF-8"),
    "a PDF": (b"%PDF-1.7", "the file is PDF"),
    "nothing": (b"", "the file is an empty file"),
    "a header alone": (b"prompt,response\n", "none of the 0 rows"),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD.keys())
def test_a_file_that_cannot_be_converted_is_exit_1_with_the_reason_and_nothing_written(
    data: bytes, reason: str, tmp_path: Path, out: Path
) -> None:
    file = tmp_path / "dropped"
    file.write_bytes(data)
    result = droptune("convert", file, "-o", out, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr
    assert list(tmp_path.iterdir()) == [file]


def test_rows_that_cannot_be_turned_are_left_out_only_where_that_is_asked(tmp_path: Path, out: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    file.write_bytes(b"broken\n" + LINES + b'{"x": 1}\n' * 30)
    result = droptune("convert", file, "-o", out, "--skip")
    assert result.exit_code == 0
    assert rows(out) == CHATS
    assert "31 rows not converted and left out" in result.stdout
    assert "line 1: it is no JSON" in result.stdout
    assert "and 11 more" in result.stdout


def test_a_file_without_any_row_to_turn_is_refused_even_so(tmp_path: Path, out: Path) -> None:
    file = tmp_path / "other.jsonl"
    file.write_bytes(b'{"x": 1}\n' * 3)
    result = droptune("convert", file, "-o", out, "--skip")
    assert result.exit_code == 1
    assert "none of the 3 rows can be converted" in result.stderr
    assert not out.exists()


def test_nothing_is_overwritten_unless_forced(tmp_path: Path, out: Path) -> None:
    file = tmp_path / "alpaca.jsonl"
    file.write_bytes(LINES)
    out.write_text("dear to me")
    result = droptune("convert", file, "-o", out)
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert out.read_text() == "dear to me"
    assert droptune("convert", file, "-o", out, "--force").exit_code == 0
    assert rows(out) == CHATS


def test_a_failure_leaves_what_was_there(tmp_path: Path, out: Path) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_bytes(LINES + b"{")
    out.write_text("dear to me")
    assert droptune("convert", file, "-o", out, "--force").exit_code == 1
    assert out.read_text() == "dear to me"


def test_a_folder_that_cannot_be_written_is_exit_1(tmp_path: Path) -> None:
    file = tmp_path / "alpaca.jsonl"
    file.write_bytes(LINES)
    result = droptune("convert", file, "-o", tmp_path / ("x" * 254))
    assert result.exit_code == 1
    assert "File name too long" in result.stderr
    assert "Nothing was written" in result.stderr


def test_wrong_usage_is_exit_2(tmp_path: Path, out: Path) -> None:
    file = tmp_path / "alpaca.jsonl"
    file.write_bytes(LINES)
    link = tmp_path / "link.jsonl"
    link.symlink_to(file)
    assert droptune("convert", file).exit_code == 2
    assert droptune("convert", tmp_path / "none.jsonl", "-o", out).exit_code == 2
    assert droptune("convert", file, "-o", tmp_path / "none" / "out.jsonl").exit_code == 2
    assert droptune("convert", file, "-o", tmp_path, "--force").exit_code == 2
    for same in (file, link):
        result = droptune("convert", file, "-o", same, "--force")
        assert result.exit_code == 2
        assert "the file that is read" in result.stderr
    assert file.read_bytes() == LINES
