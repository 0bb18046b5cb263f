"""From what was read to a verdict: findings of all files, what is told of them as a whole, and the profile."""

from __future__ import annotations

from typing import Any

from shared.datasets import tokens, told
from shared.datasets.counts import duplicates
from shared.datasets.findings import Finding, Findings
from shared.datasets.masked import covered
from shared.datasets.profile import count_tokens, profile
from shared.datasets.reading import Reading
from shared.datasets.rows.stretch import Stretch
from shared.datasets.rulebook import RULES, found
from shared.datasets.verdict import Verdict

MIN_TRAIN_ROWS = 10


def judge(reading: Reading, config_findings: list[Finding]) -> Verdict:
    """The verdict on what was read, and on the settings beside it."""
    findings = Findings()
    for finding in config_findings:
        findings.add(finding)
    dataset = reading.stretches["dataset"].tally
    copies = duplicates.copies(dataset.hashes)
    counted = {role: count_tokens(stretch.tally, reading.counter) for role, stretch in reading.stretches.items()}
    for role, stretch in reading.stretches.items():
        _tell(reading, role, stretch, counted[role]["per_character"])
        findings.extend(stretch.findings, 0)
    for finding, count in told.repeated(copies):
        findings.add(finding, count)
    if not findings.errors:
        for finding in _whole(reading):
            findings.add(finding)
    return Verdict(
        accepted=findings.errors == 0,
        rows=dataset.rows,
        findings=list(map(covered, findings.listed())),
        findings_total=findings.total,
        profile=profile(dataset, copies, counted["dataset"]),
        counts=reading.sides.counts,
        kinds=_kinds(findings),
    )


def _tell(reading: Reading, role: str, stretch: Stretch, per_character: float) -> None:
    """Adds what is told of a file as a whole to its findings."""
    model = reading.terms.model
    limit = told.Limit(model, *tokens.context_tokens(model))
    for finding, count in (
        *told.mended(stretch.tally),
        *told.orders(stretch.tally),
        *told.too_long(stretch.tally, per_character, limit),
        *told.personal(stretch.tally, reading.terms.pii),
    ):
        stretch.findings.add(finding, count)
    if role != "dataset":
        _leaks(reading, stretch)
        stretch.findings.name(f"{role}.jsonl")


def _leaks(reading: Reading, stretch: Stretch) -> None:
    trained = reading.stretches["dataset"].tally.hashes
    rows, line = duplicates.standing_in(stretch.tally.hashes, trained, reading.fractions)
    if rows:
        message = f"{rows:,} rows stand in the training data as well"
        stretch.findings.add(found("test_row_in_training", message, line), rows)


def _whole(reading: Reading) -> list[Finding]:
    """What is to be said of the sides, where no row has an error."""
    said = [
        found("rows_alike", f"all rows are alike: the {side} side shares one with the training side")
        for side in reading.sides.shared
    ]
    said += [
        found("one_row_twice", f"the {side} side has one row, which stands twice") for side in reading.sides.doubled
    ]
    rows, with_tools = reading.rows()
    if reading.has_mixed_tools():
        said.append(found("tools_mixed", f"`tools` stands in {with_tools:,} of {rows:,} rows and was left out"))
    if (count := reading.sides.counts["train"]) < MIN_TRAIN_ROWS:
        message = f"{count} rows are left to train on, the pipeline needs {MIN_TRAIN_ROWS}"
        said.append(found("too_few_rows", message))
    return said


def _kinds(findings: Findings) -> list[dict[str, Any]]:
    """All kinds of findings with their numbers, errors first."""
    ordered = sorted(findings.kinds.items(), key=lambda kind: (_severity(kind[0]), -kind[1], kind[0]))
    return [{"code": code, "severity": _severity(code), "count": count, "what": _what(code)} for code, count in ordered]


def _severity(code: str) -> str:
    return RULES[code].severity if code in RULES else "error"


def _what(code: str) -> str:
    return RULES[code].what if code in RULES else "a setting of droptune.toml"
