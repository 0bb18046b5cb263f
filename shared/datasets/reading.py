"""One reading of all files of a dataset: the rows are checked, counted and dealt to their sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from shared.datasets import tokens
from shared.datasets.config import Config
from shared.datasets.ends import Sink
from shared.datasets.rows.begin import beginning
from shared.datasets.rows.stretch import Scanner, Stretch
from shared.datasets.rulebook import found
from shared.datasets.sources import Source, lines
from shared.datasets.split import Fractions, Sides
from shared.datasets.tokens.nearly import Nearly

Read = Callable[[Stretch, Source], None]


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


class Reading:
    """One reading of all files."""

    def __init__(
        self,
        files: Mapping[str, Source],
        config: Config,
        terms: Terms,
        read: Read | None,
        keep_tools: bool = True,
    ) -> None:
        self.files, self.config, self.terms = files, config, terms
        self._read = read or read_whole
        self._keep_tools = keep_tools
        self.counter = terms.counter()
        self.fractions = Fractions(
            0.0 if "validation" in files else config.validation_fraction,
            0.0 if "test" in files else config.test_fraction,
        )
        self.stretches: dict[str, Stretch] = {}

    def go(self, sink: Sink | None) -> None:
        """Reads them all, the dataset first; the sides are whole afterwards where there was no error."""
        sides = Sides(self.fractions, sink)
        for role in sorted(self.files):
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
        if not self._has_errors():
            rows, with_tools = self.rows()
            empty = [side for side in ("validation", "test") if side not in self.files]
            self.sides.finish(empty, with_tools=self._keep_tools and rows == with_tools)

    def _nearly(self) -> Nearly | None:
        """What counts rows near the context's end, where a tokenizer is at hand."""
        limit, _ = tokens.context_tokens(self.terms.model)
        return Nearly(limit, self.counter) if self.counter.exact else None

    def is_alone(self) -> bool:
        """Whether all rows of a large dataset went to one side that is not the training side."""
        if self._has_errors():
            return False
        return not self.sides.counts["train"] and any(self.sides.counts.values()) and any(self.fractions)

    def has_mixed_tools(self) -> bool:
        """Whether some rows have tools and others do not."""
        rows, with_tools = self.rows()
        return 0 < with_tools < rows

    def rows(self) -> tuple[int, int]:
        """The rows of all files, and those of them that have tools."""
        tallies = [stretch.tally for stretch in self.stretches.values()]
        return sum(tally.rows for tally in tallies), sum(tally.tools for tally in tallies)

    def _has_errors(self) -> bool:
        return any(stretch.findings.errors for stretch in self.stretches.values())


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


def scanner(policy: str) -> Scanner | None:
    """What looks for personal data, or None where nobody wants to know."""
    if policy == "off":
        return None
    from shared.datasets.pii import Scanner as PiiScanner

    return PiiScanner()
