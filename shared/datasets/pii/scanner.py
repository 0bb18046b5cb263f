"""The scan of a block: where a value may be, then the patterns there; or the patterns everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from shared.datasets.pii import emails, numbers, secrets
from shared.datasets.pii.kinds import Block, Finder, Hit, Span
from shared.datasets.pii.places import Ends, fast_ends

# literals apart from what is none: as fast as all together, compiled in a tenth of the time, and a flood slows one alone
GROUPS: tuple[tuple[Finder, ...], ...] = ((*secrets.FINDERS, emails.FINDER), (numbers.FINDER,))
FAST_FROM = 256 * 1024


class Scanner:
    """Finds personal data and secrets in blocks of whole lines; the hits of a line don't depend on its block.

    Under `fast_from` bytes in all it does without hyperscan, whose import would cost more than it saves.
    """

    def __init__(self, fast_from: int = FAST_FROM) -> None:
        self._left = fast_from
        self._groups: list[Callable[[Block], Iterable[Span]]] = []

    def scan(self, block: Block) -> list[Hit]:
        """The hits of a block by offset; one that lies inside another is left out."""
        return [Hit(span.kind, span.start) for span in self.spans(block)]

    def spans(self, block: Block) -> list[Span]:
        """The same with their ends.

        >>> Scanner().spans(b"write to ann.lee@contoso.com today")
        [Span(kind='email', start=9, end=28)]
        """
        before, self._left = self._left, self._left - len(block)
        if not self._groups or before > 0 >= self._left:
            self._groups = [_scan(group, fast=self._left <= 0) for group in GROUPS]
        return _outer(span for group in self._groups for span in group(block))


def _scan(group: tuple[Finder, ...], fast: bool) -> Callable[[Block], Iterator[Span]]:
    """The finds of a group in a block: near the places that hyperscan tells, or everywhere where it tells none."""
    places = fast_ends([finder.expression for finder in group]) if fast else _no_places

    def spans(block: Block) -> Iterator[Span]:
        ends = places(block)
        whole = bytes(block) if ends is None else b""
        for number, finder in enumerate(group):
            if ends is None:
                yield from finder.anywhere(whole)
            elif ends[number]:
                yield from finder.near(block, ends[number])

    return spans


def _no_places(_block: Block) -> Ends | None:
    return None


def _outer(found: Iterable[Span]) -> list[Span]:
    spans, end = [], 0
    for span in sorted(found, key=lambda one: (one.start, -one.end)):
        if span.end > end:
            spans.append(span)
            end = span.end
    return spans
