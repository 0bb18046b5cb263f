"""The scan of a block: places first, then the patterns there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.datasets.pii.emails import emails
from shared.datasets.pii.ibans import ibans
from shared.datasets.pii.kinds import Hit, Span
from shared.datasets.pii.numbers import numbers
from shared.datasets.pii.places import Places, fast_literals, fast_stretches, plain_literals, plain_stretches
from shared.datasets.pii.secrets import secrets

FAST_FROM = 1024 * 1024


class Scanner:
    """Finds personal data and secrets in blocks of whole lines; the hits of a line don't depend on its block.

    Under `fast_from` bytes in all it does without numpy and hyperscan, whose import would cost more than it saves.
    """

    def __init__(self, fast_from: int = FAST_FROM) -> None:
        self._left = fast_from
        self._literals: Callable[[bytes], Places] = plain_literals
        self._stretches: Callable[[bytes], Places] = plain_stretches

    def scan(self, block: bytes | bytearray | memoryview) -> list[Hit]:
        """The hits of a block by offset; one that lies inside another is left out."""
        self._hurry(len(block))
        data = bytes(block)
        hits, end = [], 0
        for span in sorted(self._spans(data), key=lambda one: (one.start, -one.end)):
            if span.end > end:
                hits.append(Hit(span.kind, span.start))
                end = span.end
        return hits

    def _hurry(self, size: int) -> None:
        """Goes over to the fast way once the bytes are many."""
        self._left -= size
        if self._left <= 0 and self._stretches is plain_stretches:
            self._literals = fast_literals() or plain_literals
            self._stretches = fast_stretches()

    def _spans(self, block: bytes) -> Iterator[Span]:
        yield from secrets(block, self._literals(block))
        yield from emails(block)
        for start, end in self._stretches(block):
            yield from numbers(block, start, end)
            yield from ibans(block, start, end)
