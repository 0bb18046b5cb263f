"""A stretch of a file, read once from its first byte to its last: findings, counts, and rows dealt to their sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from shared.datasets.counts.tally import Tally
from shared.datasets.findings import Finding, Findings
from shared.datasets.rows import strict
from shared.datasets.rows.batch import Batch
from shared.datasets.rows.blocks import MAX_LINE, Block, Readable, blocks
from shared.datasets.rows.fast import Fast
from shared.datasets.rows.rules import Line
from shared.datasets.rulebook import found
from shared.datasets.split import SMALL, Sides
from shared.datasets.tokens.nearly import Nearly

BOM = b"\xef\xbb\xbf"
SPACE = b" \t\r\n"
_encode = msgspec.json.Encoder().encode


class Scanner(Protocol):
    """What looks for personal data in a block."""

    def scan(self, block: memoryview, /) -> list[Any]:
        """The hits, each with its `kind` and `offset`."""
        ...


class Stretch:
    """Reads a stretch; two that lie one after the other can be joined."""

    def __init__(
        self,
        sides: Sides,
        *,
        side: str | None = None,
        scanner: Scanner | None = None,
        policy: str = "warn",
        keep_tools: bool = True,
        nearly: Nearly | None = None,
    ) -> None:
        self._nearly = nearly
        self.policy = policy
        self.lines = 0
        self.tally = Tally()
        self.findings = Findings()
        self.sides = sides
        self._side = side
        self._scanner = scanner
        self._keep_tools = keep_tools
        self._fast = Fast()
        self._known = self.tally.known
        self._batch = Batch()
        self._large = False

    @property
    def counts_tokens(self) -> bool:
        """Whether rows near the context's end are counted one by one: one process has the tokenizer."""
        return self._nearly is not None

    def read(self, source: Readable, *, begin: Callable[[Block], Finding | None] | None = None) -> None:
        """Reads to the end; `begin` looks at the file's first block and says where it is no chat dataset at all."""
        for block in blocks(source):
            if block.too_long:
                self.lines += 1
                self._too_long(self.lines, block.too_long)
                continue
            is_first = begin is not None
            if begin is not None:
                wrong, begin = begin(block), None
                if wrong is not None:
                    self.findings.add(wrong)
                    return
            self._scan(block)
            rows = None if is_first else self._fast.block(block)
            if rows is None:
                self._line_by_line(block, first=is_first)
            else:
                self._rows(rows, block)
            if not self._large and self.tally.characters > SMALL:
                self._large = True
                self.sides.spill()

    def __getstate__(self) -> dict[str, Any]:
        """What another process is told: what was found, without what it was read with."""
        return {**self.__dict__, "_scanner": None, "_fast": None, "_nearly": None}

    def extend(self, more: Stretch) -> None:
        """Takes in what was found in the stretch after this one."""
        self.findings.extend(more.findings, self.lines)
        self.tally.extend(more.tally, self.lines)
        self.sides.extend(more.sides)
        self.lines += more.lines
        if self.tally.characters > SMALL:
            self.sides.spill()

    def _rows(self, rows: list[Any], block: Block) -> None:
        first = self.lines + 1
        self.lines += len(rows)
        refused = self._plain(rows, first)
        more = [first + index for index in self._fast.with_more(rows)]
        self.tally.note_all("extra_columns", [number for number in more if number not in refused] if refused else more)
        lines = bytes(block.view).split(b"\n") if refused else []
        for number in refused:
            self._strict(lines[number - first], number)
        self._flush()

    def _plain(self, rows: list[Any], first: int) -> list[int]:
        """Takes the rows of a block all at once, where nothing is to be said of any; else one by one."""
        every = [row.messages for row in rows]
        orders = [tuple([message.role for message in messages]) for messages in every]
        texts = [[message.content for message in messages] for messages in every]
        places: list[Any] = list(map(self._known.get, orders))
        if None not in places and self._are_plain(places, texts):
            self._batch.lines = list(range(first, first + len(rows)))
            self._batch.places, self._batch.texts, self._batch.rows = places, texts, every
            return []
        return [number for number, row in enumerate(rows, first) if not self._one(row, number)]

    def _are_plain(self, places: list[Any], texts: list[list[str]]) -> bool:
        patterns = self.tally.patterns
        if any(patterns[place].errors for place in set(places)):
            return False
        answers = [row[patterns[place].first_answer] for place, row in zip(places, texts, strict=True)]
        return "" not in answers and not any(map(str.isspace, answers))

    def _one(self, row: Any, number: int) -> bool:
        """Takes a row of the fast way; False where the order of its roles or its answers want a closer look."""
        messages = row.messages
        roles = tuple([message.role for message in messages])
        place = self._known.get(roles)
        if place is None:
            place = self.tally.meet(roles, number)
        order = self.tally.patterns[place]
        texts = [message.content for message in messages]
        if order.errors or not _says(texts, order.answers):
            return False
        self._batch.add(number, place, texts, messages)
        return True

    def _flush(self) -> None:
        """Counts and deals the rows that were taken."""
        batch, self._batch = self._batch, Batch()
        if not batch.lines:
            return
        keys, before = self.tally.add(batch)
        if self._nearly is not None:
            self.tally.counted.update(self._nearly.count(batch, self.tally.patterns))
        rows = []
        if self.sides.wants_rows and not self.findings.errors:
            rows = [_encode(row if isinstance(row, dict) else {"messages": row}) for row in batch.rows]
        self.sides.add(keys, rows, before, self._side)

    def _line_by_line(self, block: Block, *, first: bool = False) -> None:
        lines = bytes(block.view).split(b"\n")
        if block.complete:
            lines.pop()
        for index, line in enumerate(lines):
            self.lines += 1
            last = not block.complete and index == len(lines) - 1
            self._line(line, begins=first and index == 0, last=last)
        self._flush()

    def _line(self, line: bytes, *, begins: bool, last: bool) -> None:
        number = self.lines
        if len(line) > MAX_LINE:
            self._too_long(number, len(line))
            return
        if begins and line.startswith(BOM):
            self.tally.note("bom", number)
            line = line[len(BOM) :]
        if line.endswith(b"\r"):
            self.tally.note("crlf", number)
            line = line[:-1]
        if not line.strip(SPACE):
            self.tally.note("blank_line", number)
            return
        row = self._fast.line(line)
        if row is None or not self._one(row, number):
            self._strict(line, number, last=last)
        else:
            self.tally.note_all("extra_columns", [number] if self._fast.with_more([row]) else [])

    def _strict(self, line: bytes, number: int, *, last: bool = False) -> None:
        examined = Line(line, number, self.findings.add, self.findings.wants, self.tally.note)
        row = strict.read(examined, last=last, keep_tools=self._keep_tools)
        if row is None:
            return
        self._fast.learn(row.columns)
        place = self.tally.meet(row.roles, number)
        self.tally.tools += row.has_tools
        content = None if row.is_plain else _encode(row.clean["messages"])
        self._batch.add(number, place, row.texts, row.clean, content)

    def _too_long(self, number: int, length: int) -> None:
        self.findings.add(found("line_too_long", f"the line has {length:,} bytes", number))

    def _scan(self, block: Block) -> None:
        if self._scanner is None:
            return
        for hit in self._scanner.scan(block.view):
            entry = self.tally.pii.setdefault(hit.kind, [0])
            entry[0] += 1
            line = self.lines + 1 + block.data.count(b"\n", 0, hit.offset) if len(entry) <= LINES else entry[-1]
            if line != entry[-1] or len(entry) == 1:
                entry.append(line)


LINES = 20


def _says(texts: list[str], answers: tuple[int, ...]) -> bool:
    for index in answers:
        text = texts[index]
        if text and not text.isspace():
            return True
    return False
