"""The whole check of a dataset, offline and in the cloud: the same bytes get the same verdict.

One pass reads, checks, counts and deals the rows to their sides; a second one is made only where the snapshot must be
written otherwise than was thought when it was begun: `tools` in some rows only, or next to no rows that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.datasets import duplicates, tokens, told
from shared.datasets.begin import beginning
from shared.datasets.config import Config
from shared.datasets.ends import Sink
from shared.datasets.findings import Finding, Findings
from shared.datasets.masked import covered
from shared.datasets.nearly import Nearly
from shared.datasets.profile import count_tokens, profile
from shared.datasets.rulebook import RULES, found
from shared.datasets.sources import Source, lines
from shared.datasets.split import SIDES, Fractions, Sides
from shared.datasets.stretch import Scanner, Stretch

RULES_VERSION = "2"
MIN_TRAIN_ROWS = 10


class Verdict(msgspec.Struct, frozen=True):
    """What became of a dataset: `counts` are rows a side, `kinds` counts all findings by their code."""

    accepted: bool
    rows: int
    findings: list[Finding]
    findings_total: int
    profile: dict[str, Any]
    counts: dict[str, int] = {}
    kinds: list[dict[str, Any]] = []

    def as_json(self) -> dict[str, Any]:
        """The document of `droptune check --json`."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class Terms(msgspec.Struct, frozen=True):
    """What a dataset is checked for: the base model, its tokenizer where one is at hand, what personal data mean."""

    model: str = "Phi-3-mini-4k-instruct"
    tokenizer: str = ""
    pii: str = "warn"

    def counter(self) -> tokens.Counter:
        """What counts tokens: the base model's own tokenizer, or an estimate."""
        try:
            return tokens.from_file(Path(self.tokenizer)) if self.tokenizer else tokens.estimated(self.model)
        except tokens.TokenizerError:  # the profile's `basis` says which it was
            return tokens.estimated(self.model)


def check(
    files: Mapping[str, Source],
    config: Config | None = None,
    config_findings: list[Finding] | None = None,
    *,
    terms: Terms | None = None,
    sink: Callable[[], Sink] | None = None,
    read: Callable[[Stretch, Source], None] | None = None,
) -> Verdict:
    """Checks a dataset; its clean rows go to a sink, a new one for each pass.

    `files` maps `dataset` and, where the user gives them, `test` and `validation` to what they are read from; `read`
    replaces the way in which the dataset itself is read (in several processes).
    """
    run = _Pass(files, config or Config(), terms or Terms(), read)
    run.go(sink() if sink else None)
    if run.is_alone():
        run = _Pass(
            files,
            msgspec.structs.replace(config or Config(), test_fraction=0.0, validation_fraction=0.0),
            run.terms,
            read,
        )
        run.go(sink() if sink else None)
    if run.has_mixed_tools() and sink is not None:
        again = _Pass(files, run.config, run.terms, read, keep_tools=False)
        again.go(sink())
    return run.verdict(config_findings or [])


class _Pass:
    """One reading of all files."""

    def __init__(
        self,
        files: Mapping[str, Source],
        config: Config,
        terms: Terms,
        read: Callable[[Stretch, Source], None] | None,
        keep_tools: bool = True,
    ) -> None:
        self.files, self.config, self.terms = files, config, terms
        self._read = read or read_whole
        self._keep_tools = keep_tools
        self._counter = terms.counter()
        self.fractions = Fractions(
            0.0 if "validation" in files else config.validation_fraction,
            0.0 if "test" in files else config.test_fraction,
        )
        self.stretches: dict[str, Stretch] = {}

    def go(self, sink: Sink | None) -> None:
        sides = Sides(self.fractions, sink)
        for role in sorted(self.files):  # the dataset first
            stretch = Stretch(
                sides,
                side=None if role == "dataset" else role,
                scanner=scanner(self.terms.pii),
                policy=self.terms.pii,
                keep_tools=self._keep_tools,
                nearly=self._nearly(),
            )
            self.stretches[role] = stretch
            (self._read if role == "dataset" else read_whole)(stretch, self.files[role])
        self.sides = self.stretches["dataset"].sides
        if not any(stretch.findings.errors for stretch in self.stretches.values()):
            self.sides.finish([side for side in ("validation", "test") if side not in self.files])

    def _nearly(self) -> Nearly | None:
        """What counts rows near the context's end, where a tokenizer is at hand."""
        limit, _ = tokens.context_tokens(self.terms.model)
        return Nearly(limit, self._counter) if self._counter.exact else None

    def is_alone(self) -> bool:
        """Whether all rows of a large dataset went to one side that is not the training side."""
        errors = any(stretch.findings.errors for stretch in self.stretches.values())
        return not errors and not self.sides.counts["train"] and any(self.sides.counts.values()) and any(self.fractions)

    def has_mixed_tools(self) -> bool:
        """Whether some rows have tools and others do not."""
        with_tools = sum(stretch.tally.tools for stretch in self.stretches.values())
        return 0 < with_tools < sum(stretch.tally.rows for stretch in self.stretches.values())

    def verdict(self, config_findings: list[Finding]) -> Verdict:
        findings = Findings()
        for finding in config_findings:
            findings.add(finding)
        dataset = self.stretches["dataset"].tally
        copies = duplicates.copies(dataset.hashes)
        counted = {role: count_tokens(stretch.tally, self._counter) for role, stretch in self.stretches.items()}
        for role, stretch in self.stretches.items():
            self._tell(findings, role, stretch, counted[role]["per_character"])
        for finding, count in told.repeated(copies):
            findings.add(finding, count)
        self._whole(findings)
        return Verdict(
            accepted=findings.errors == 0,
            rows=dataset.rows,
            findings=list(map(covered, findings.listed())),
            findings_total=findings.total,
            profile=profile(dataset, copies, counted["dataset"]),
            counts=self.sides.counts,
            kinds=_kinds(findings),
        )

    def _tell(self, findings: Findings, role: str, stretch: Stretch, per_character: float) -> None:
        limit = told.Limit(self.terms.model, *tokens.context_tokens(self.terms.model))
        for finding, count in (
            *told.mended(stretch.tally),
            *told.orders(stretch.tally),
            *told.too_long(stretch.tally, per_character, limit),
            *told.personal(stretch.tally, self.terms.pii),
        ):
            stretch.findings.add(finding, count)
        if role != "dataset":
            self._leaks(stretch)
            stretch.findings.name(f"{role}.jsonl")
        findings.extend(stretch.findings, 0)

    def _leaks(self, stretch: Stretch) -> None:
        dataset = self.stretches["dataset"].tally.hashes
        rows, line = duplicates.standing_in(stretch.tally.hashes, dataset, self.fractions)
        if rows:
            stretch.findings.add(
                found("test_row_in_training", f"{rows:,} rows stand in the training data as well", line), rows
            )

    def _whole(self, findings: Findings) -> None:
        if findings.errors:
            return
        for side in self.sides.shared:
            findings.add(found("rows_alike", f"all rows are alike: the {side} side shares one with the training side"))
        if self.has_mixed_tools():
            with_tools = sum(stretch.tally.tools for stretch in self.stretches.values())
            rows = sum(stretch.tally.rows for stretch in self.stretches.values())
            findings.add(found("tools_mixed", f"`tools` stands in {with_tools:,} of {rows:,} rows and was left out"))
        if (count := self.sides.counts["train"]) < MIN_TRAIN_ROWS:
            message = f"{count} rows are left to train on, the pipeline needs {MIN_TRAIN_ROWS}"
            findings.add(found("too_few_rows", message))


def read_whole(stretch: Stretch, source: Source) -> None:
    """Reads a file from its first byte to its last."""
    from shared.datasets.formats.errors import FormatError

    try:
        stretch.read(lines(source), begin=lambda block: beginning(block, source.name))
    except FormatError as error:
        stretch.findings.add(found("broken_container", error.reason, fix=error.fix))
        return
    if not stretch.findings.total and not stretch.tally.rows:  # blank lines alone, too
        stretch.findings.add(found("empty_file", "the file is empty"))


def _kinds(findings: Findings) -> list[dict[str, Any]]:
    return [
        {
            "code": code,
            "severity": severity(code),
            "count": count,
            "what": what(code),
        }
        for code, count in sorted(findings.kinds.items(), key=lambda kind: (severity(kind[0]), -kind[1], kind[0]))
    ]


def severity(code: str) -> str:
    """How bad a kind of finding is."""
    return RULES[code].severity if code in RULES else "error"


def what(code: str) -> str:
    """A kind of finding in words."""
    return RULES[code].what if code in RULES else "a setting of droptune.toml"


def scanner(policy: str) -> Scanner | None:
    """What looks for personal data, or None where nobody wants to know."""
    if policy == "off":
        return None
    from shared.datasets.pii import Scanner as PiiScanner

    return PiiScanner()


__all__ = ["MIN_TRAIN_ROWS", "RULES_VERSION", "SIDES", "Terms", "Verdict", "check"]
