"""The first and the last row of a side's file: the pipeline is particular about them.

Tried with HF datasets 4.7.0, which the pipeline pins (docs/azure-facts.md):

- The loader fixes the schema by the first 10 MiB. Where two messages of one row have different keys it takes rows as
  they come, whatever keys follow; else a key that comes up later makes it fail, and contents that all look like dates
  become dates. So the first row's first message has one key more than the others, with the value null, which the
  pipeline takes out again before it trains. Tools are taken as they come where the first row has them as a text and
  the second as a list; so a side of one row that has tools has it twice.
- A row that is cut before its first answer is dropped silently, but the whole run fails where it is the first or the
  last row. So these two are the rows with the least text before the first answer.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
MARKS = ("name", "refusal")


class Sink(Protocol):
    """Where the clean rows of a side go, compact JSON objects without line ends."""

    def write(self, side: str, row: bytes) -> None:
        """Takes the next row."""
        ...

    def head(self, side: str, row: bytes) -> None:
        """Takes the row that stands before all others, after they were written."""
        ...


class Ends:
    """Holds back the two rows of a side that are safest at its ends; all others go to the sink in their order."""

    def __init__(self, side: str, sink: Sink) -> None:
        self._side, self._sink = side, sink
        self._held: list[tuple[int, bytes]] = []

    def add(self, row: bytes, before: int) -> None:
        """Takes a row with so many characters before its first answer."""
        held = self._held
        if len(held) < 2:
            held.append((before, row))
            held.sort()
        elif before < held[1][0] or (before, row) < held[1]:
            self._sink.write(self._side, held[1][1])
            held[1] = (before, row)
            held.sort()
        else:
            self._sink.write(self._side, row)

    def finish(self, *, twice: bool = False) -> None:
        """Writes the two that were held back; a row that is the only one is written twice where that is wanted."""
        if len(self._held) > 1 or (self._held and twice):
            self._sink.write(self._side, self._held[-1][1])
        if self._held:
            self._sink.head(self._side, first_row(self._held[0][1]))


def first_row(row: bytes) -> bytes:
    """A row as it stands at the beginning of a file.

    >>> first_row(b'{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}')
    b'{"messages":[{"role":"user","content":"q","name":null},{"role":"assistant","content":"a"}]}'
    """
    value: dict[str, Any] = _decode(row)
    messages = value["messages"]
    mark = next(mark for mark in MARKS if any(mark not in message for message in messages[1:]))
    messages[0].setdefault(mark, None)
    if "tools" in value:
        value["tools"] = _encode(value["tools"]).decode()
    return _encode(value)
