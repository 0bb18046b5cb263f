"""The whole check of a dataset, offline and in the cloud: the same bytes get the same verdict.

Rows are written anew while they are checked: UTF-8 without BOM, one compact object a line, only `messages` and, where
all rows have it, `tools` (why: RELIABILITY section 4), so that nothing of form can fail later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.datasets import reader, split
from shared.datasets.config import Config
from shared.datasets.findings import Finding, Findings
from shared.datasets.profile import Profile
from shared.datasets.rules import check_row

RULES_VERSION = "1"
MIN_TRAIN_ROWS = 10
_encode = msgspec.json.Encoder().encode


class Verdict(msgspec.Struct, frozen=True):
    """What became of a dataset: `counts` are rows a side, `digest` names what would be trained."""

    accepted: bool
    rows: int
    findings: list[Finding]
    findings_total: int
    profile: dict[str, Any]
    counts: dict[str, int] = {}
    digest: str = ""

    def as_json(self) -> dict[str, Any]:
        """The document of `droptune check --json`."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {key: plain[key] for key in ("accepted", "rows", "findings", "findings_total", "profile", "counts")}


def check(
    files: Mapping[str, Iterable[bytes]], config: Config, config_findings: list[Finding], folder: Path
) -> Verdict:
    """Checks a dataset and writes `train.jsonl`, `validation.jsonl` and `test.jsonl` into `folder`.

    `files` maps `dataset` and, where the user gives them, `test` and `validation` to chunks of bytes.
    """
    findings, profile = Findings(), Profile()
    for finding in config_findings:
        findings.add(finding)
    sides: dict[str, list[bytes]] = {side: [] for side in split.SIDES}
    for role, chunks in files.items():
        _read_file(role, chunks, findings, profile, sides, _Fractions.of(config, files))
    _finish_sides(files, findings, sides)
    digest = _write(folder, sides) if not findings.errors else ""
    return Verdict(
        accepted=findings.errors == 0,
        rows=profile.rows,
        findings=findings.listed(),
        findings_total=findings.total,
        profile=profile.summary(),
        counts={side: len(rows) for side, rows in sides.items()},
        digest=digest,
    )


class _Fractions(msgspec.Struct, frozen=True):
    validation: float
    test: float

    @classmethod
    def of(cls, config: Config, files: Mapping[str, Any]) -> _Fractions:
        return cls(
            validation=0.0 if "validation" in files else config.validation_fraction,
            test=0.0 if "test" in files else config.test_fraction,
        )


def _read_file(
    role: str,
    chunks: Iterable[bytes],
    findings: Findings,
    profile: Profile,
    sides: dict[str, list[bytes]],
    fractions: _Fractions,
) -> None:
    name = None if role == "dataset" else f"{role}.jsonl"
    for row, messages in _rows(chunks, findings, name):
        if role == "dataset":
            profile.add(messages, row)
            side = split.side_of(row, fractions.validation, fractions.test)
        else:
            side = role
        sides[side].append(row)


def _rows(
    chunks: Iterable[bytes], findings: Findings, name: str | None
) -> Iterator[tuple[bytes, list[dict[str, Any]]]]:
    def add(found: Finding) -> None:
        findings.add(msgspec.structs.replace(found, file=name) if name else found)

    mended = _Mended()
    lines = reader.lines(chunks)
    empty = True
    for number, raw in enumerate(lines, 1):
        if number == 1 and (other := reader.foreign(raw)):
            add(other)
            return
        line = mended.trim(raw, number)
        if not line:
            continue
        empty = False
        value, broken = reader.decode(line, number)
        errors = [broken] if broken else check_row(value, number)
        if errors:
            for error in errors:
                add(error)
            continue
        mended.columns(value, number)
        yield _clean(value), value["messages"]
    if empty:  # blank lines alone, too: an empty test or validation side fails in the pipeline
        add(Finding("empty_file", "error", "the file is empty", "drop a file with one conversation a line"))
    for warning in mended.warnings():
        add(warning)


class _Mended:
    """What the snapshot mends, told once a file: with the first line and how often."""

    _TOLD = {
        "bom": "a byte order mark was taken off",
        "blank_line": "blank lines were left out",
        "crlf": "CRLF line ends became LF",
        "extra_columns": "columns other than `messages` and `tools` were left out, as the pipeline does",
    }

    def __init__(self) -> None:
        self._count: dict[str, tuple[int, int]] = {}

    def _note(self, code: str, line: int) -> None:
        first, count = self._count.get(code, (line, 0))
        self._count[code] = (first, count + 1)

    def trim(self, raw: bytes, number: int) -> bytes:
        if number == 1 and raw.startswith(reader.BOM):
            self._note("bom", number)
            raw = raw[len(reader.BOM) :]
        if raw.endswith(b"\r"):
            self._note("crlf", number)
        line = raw.strip()
        if not line:
            self._note("blank_line", number)
        return line

    def columns(self, row: dict[str, Any], number: int) -> None:
        if row.keys() - {"messages", "tools"}:
            self._note("extra_columns", number)

    def warnings(self) -> Iterator[Finding]:
        for code, (line, count) in self._count.items():
            message = f"{self._TOLD[code]} ({count} line{'s' if count > 1 else ''})"
            yield Finding(code, "warning", message, "nothing to do: the snapshot is clean", line)


def _clean(row: dict[str, Any]) -> bytes:
    messages = [{key: value for key, value in message.items() if value is not None} for message in row["messages"]]
    kept: dict[str, Any] = {"messages": messages}
    if row.get("tools"):
        kept["tools"] = row["tools"]
    return _encode(kept)


def _finish_sides(files: Mapping[str, Any], findings: Findings, sides: dict[str, list[bytes]]) -> None:
    if findings.errors:
        return
    for side in split.fill_empty(sides, [side for side in ("validation", "test") if side not in files]):
        message = f"all rows are alike: the {side} side shares one with the training side"
        findings.add(Finding("rows_alike", "warning", message, "drop rows that differ"))
    _drop_mixed_tools(findings, sides)
    if len(sides["train"]) < MIN_TRAIN_ROWS:
        count = len(sides["train"])
        message = f"{count} rows are left to train on, the pipeline needs {MIN_TRAIN_ROWS}"
        findings.add(Finding("too_few_rows", "error", message, "add conversations, or give test and validation files"))


def _drop_mixed_tools(findings: Findings, sides: dict[str, list[bytes]]) -> None:
    rows = [row for side in sides.values() for row in side]
    with_tools = sum(b'"tools":' in row and "tools" in msgspec.json.decode(row) for row in rows)
    if not 0 < with_tools < len(rows):
        return
    for side, kept in sides.items():
        sides[side] = [_encode({"messages": msgspec.json.decode(row)["messages"]}) for row in kept]
    message = f"`tools` stands in {with_tools} of {len(rows)} rows and was left out: the pipeline would drop the others"
    findings.add(Finding("tools_mixed", "warning", message, "give all rows their tools, or none"))


def _write(folder: Path, sides: dict[str, list[bytes]]) -> str:
    whole = hashlib.sha256(RULES_VERSION.encode())
    for side in split.SIDES:
        data = b"".join(row + b"\n" for row in sides[side])
        (folder / f"{side}.jsonl").write_bytes(data)
        whole.update(side.encode() + hashlib.sha256(data).digest())
    return whole.hexdigest()
