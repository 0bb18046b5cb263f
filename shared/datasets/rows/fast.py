"""The fast way: rules that are types, which msgspec checks in C, a block of lines at a time.

What it takes has no finding; what it does not take is read again line by line, strictly. So it may only refuse too
much, never take too much: a property test holds both ways against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec

from shared.datasets.rows import quotes
from shared.datasets.rows.blocks import BLOCK, MAX_LINE, Block

COLUMNS = 32
PLAIN = 4
BRACKETS = 64
CLOSELY = -(1 << 40)
Raw = msgspec.Raw
EMPTY = Raw()


class Message(msgspec.Struct, gc=False):
    """A message of nothing but a role and a text."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


class Fast:
    """Reads blocks; learns the names of the columns that are left out, so that rows with them stay fast."""

    def __init__(self) -> None:
        self._columns: list[str] = []
        self._blocks = 0
        self._count: Callable[[bytearray, int], tuple[int, int]] = quotes.plain
        self._build()

    def _build(self) -> None:
        names = [
            (f"c{index}", Raw, msgspec.field(name=name, default=EMPTY)) for index, name in enumerate(self._columns)
        ]
        messages = ("messages", Annotated[list[Message], msgspec.Meta(min_length=2)])
        decoder = msgspec.json.Decoder(msgspec.defstruct("Row", [messages, *names], gc=False))
        self._getters = [attrgetter(name) for name, *_ in names]
        self._one: Callable[[Any], Any] = decoder.decode
        self._many: Callable[[Any], list[Any]] = decoder.decode_lines

    def learn(self, columns: list[str]) -> None:
        """Adds columns that rows have beside `messages`."""
        new = [name for name in columns if name not in self._columns and name not in ("messages", "tools")]
        if new and len(self._columns) < COLUMNS:
            self._columns += new[: COLUMNS - len(self._columns)]
            self._build()

    def block(self, block: Block) -> list[Any] | None:
        """The rows of a block, one for each of its lines, or None where its lines must be read one by one."""
        self._blocks += 1
        if not block.complete or block.size > MAX_LINE:
            return None
        if self._blocks == PLAIN:
            self._count = quotes.Wide(2 * BLOCK)
        lines, marks = self._count(block.data, block.size)
        if not lines:
            return None
        try:
            rows = self._many(block.view)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return rows if len(rows) == lines and self._expected(rows) == marks else None

    def line(self, line: bytes) -> Any | None:
        """The row of one line, or None where it must be read strictly."""
        try:
            row = self._one(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return row if self._expected([row]) == quotes.unescaped(line) else None

    def _expected(self, rows: list[Any]) -> int:
        """How many quotes rows have where no key is unknown or stands twice; -1 where a column is beyond it."""
        total = 2 * len(rows) + 8 * sum([len(row.messages) for row in rows])
        for get in self._getters:
            values = [bytes(value) for value in map(get, rows) if value is not EMPTY]
            quoted = _texts(values) or sum(map(_quotes, values))
            if quoted < 0:
                return -1
            total += 2 * len(values) + quoted
        return total

    def with_more(self, rows: list[Any]) -> list[int]:
        """Which rows have columns beside `messages`."""
        found: set[int] = set()
        for get in self._getters:
            found.update([index for index, row in enumerate(rows) if get(row) is not EMPTY])
            if len(found) == len(rows):
                break
        return sorted(found)


def _texts(values: list[bytes]) -> int:
    """The quotes of a column whose values are all texts; 0 where they are not."""
    texts = {value[:1] for value in values} == {b'"'} and _is_utf8(b"".join(values))
    return 2 * len(values) if texts else 0


def _quotes(value: bytes) -> int:
    """The quotes of a column's value that are not escaped; far below 0 where the value must be looked at closely."""
    if value.count(b"[") + value.count(b"{") > BRACKETS or not _is_utf8(value):
        return CLOSELY
    return quotes.unescaped(value)


def _is_utf8(value: bytes) -> bool:
    if value.isascii():
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
