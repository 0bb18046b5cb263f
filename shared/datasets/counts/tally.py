"""What is counted about the rows of a stretch of a file: all of it can be joined with what was counted further down.

Every row is told by a 64-bit hash of its content. Up to a million rows all hashes are kept, beyond that those of one
row in 2, 4, 8 …, chosen by the hash itself: the same rows whatever their order, copies of a row together.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from heapq import heappop, heappush
from zlib import crc32

from xxhash import xxh3_64_intdigest

from shared.datasets.counts.kept import Kept
from shared.datasets.rows.batch import Batch
from shared.datasets.rows.patterns import Pattern, pattern

EXACT = 1 << 20
MEASURED = 1 << 18
SAMPLED = 256
SAMPLED_CHARACTERS = 16 * 1024
LOW = (1 << 32) - 1

Counted = tuple[int, int]
Sampled = tuple[int, list[tuple[str, str]]]


class Tally:
    """Counts rows; `line` in all of it is counted from the stretch's own first line."""

    def __init__(self) -> None:
        self.rows = 0
        self.characters = 0
        self.answers = 0
        self.tools = 0
        self.patterns: list[Pattern] = []
        self.pattern_rows: list[int] = []
        self.pattern_lines: list[int] = []
        self.known: dict[tuple[str, ...], int] = {}
        self.seeds: list[int] = []
        self.longest = (0, 0)
        self.shortest = (1 << 62, 0)
        self.notes: dict[str, list[int]] = {}
        self.pii: dict[str, list[int]] = {}
        self.hashes = Kept(EXACT, "Q", "I")
        self.figures = Kept(MEASURED, "Q", "I", "H", "I", "I", "I")
        self.sample: dict[int, Sampled] = {}
        self.counted: dict[int, Counted] = {}
        self._worst = LOW + 1
        self._heap: list[tuple[int, int]] = []

    def note(self, code: str, line: int) -> None:
        """Counts something that is mended or odd, with the line where it was first met."""
        self.note_all(code, [line])

    def note_all(self, code: str, lines: list[int]) -> None:
        """The same for several lines."""
        if lines:
            entry = self.notes.setdefault(code, [0, lines[0]])
            entry[0] += len(lines)
            entry[1] = min(entry[1], lines[0])

    def meet(self, roles: tuple[str, ...], line: int) -> int:
        """The number of an order of roles; a new one is worked out."""
        place = self.known.get(roles)
        if place is None:
            place = self.known[roles] = len(self.patterns)
            self.patterns.append(pattern(roles))
            self.pattern_rows.append(0)
            self.pattern_lines.append(line)
            self.seeds.append(crc32(" ".join(roles).encode()))
        return place

    def add(self, batch: Batch) -> tuple[list[int], list[int]]:
        """Counts rows and returns their hashes, and the characters before each one's first answer.

        The hash is of roles and texts, or of `contents` where a row has more than those.
        """
        lines, places = batch.lines, batch.places
        orders = [self.patterns[place] for place in places]
        seeds, digest = [self.seeds[place] for place in places], xxh3_64_intdigest
        keys = [digest("\0".join(texts).encode(), seed) for texts, seed in zip(batch.texts, seeds, strict=True)]
        for index, content in batch.contents.items():
            keys[index] = digest(content, seeds[index])
        lengths = [list(map(len, texts)) for texts in batch.texts]
        sizes = list(map(sum, lengths))
        pairs = list(zip(lengths, orders, strict=True))
        answers = [
            sum(found[order.every_second]) if order.every_second else _sum(found, order) for found, order in pairs
        ]
        self._whole(lines, places, sizes, answers)
        for line, found in zip(lines, lengths, strict=True):
            if 0 in found:
                self.note("empty_message", line)
        self.hashes.add(keys, lines)
        before = [sum(found[: order.first_answer]) for found, order in pairs]
        self.figures.add(keys, lines, places, sizes, answers, before)
        for index, key in enumerate(keys):
            if key & LOW < self._worst:
                self._sample(key, lines[index], orders[index].roles, batch.texts[index])
        return keys, before

    def _whole(self, lines: Sequence[int], places: list[int], sizes: list[int], answers: list[int]) -> None:
        self.rows += len(lines)
        self.characters += sum(sizes)
        self.answers += sum(answers)
        for place in places:
            self.pattern_rows[place] += 1
        if (most := max(sizes)) > self.longest[0]:
            self.longest = (most, lines[sizes.index(most)])
        if (least := min(sizes)) < self.shortest[0]:
            self.shortest = (least, lines[sizes.index(least)])

    def _sample(self, key: int, line: int, roles: tuple[str, ...], texts: list[str]) -> None:
        if key in self.sample:
            return
        room, kept = SAMPLED_CHARACTERS, []
        for role, text in zip(roles, texts, strict=True):
            kept.append((role, text[:room]))
            room = max(0, room - len(text))
        self.sample[key] = (line, kept)
        heappush(self._heap, (-(key & LOW), key))
        if len(self._heap) > SAMPLED:
            del self.sample[heappop(self._heap)[1]]
            self._worst = -self._heap[0][0]

    def extend(self, more: Tally, lines: int) -> None:
        """Takes in what was counted in a later stretch, `lines` lines further down."""
        numbers = [
            self.meet(order.roles, line + lines) for order, line in zip(more.patterns, more.pattern_lines, strict=True)
        ]
        for place, rows in zip(numbers, more.pattern_rows, strict=True):
            self.pattern_rows[place] += rows
        for name in ("rows", "characters", "answers", "tools"):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.longest = max(self.longest, (more.longest[0], more.longest[1] + lines), key=lambda found: found[0])
        self.shortest = min(self.shortest, (more.shortest[0], more.shortest[1] + lines), key=lambda found: found[0])
        _join_notes(self.notes, more.notes, lines)
        _join_lines(self.pii, more.pii, lines)
        for kept, theirs in ((self.hashes, more.hashes), (self.figures, more.figures)):
            theirs.columns = (theirs.columns[0], _moved(theirs.columns[1], lines), *theirs.columns[2:])
            if kept is self.figures:
                theirs.columns = (
                    *theirs.columns[:2],
                    array("H", map(numbers.__getitem__, theirs.columns[2])),
                    *theirs.columns[3:],
                )
            kept.extend(theirs)
        self.counted.update({line + lines: found for line, found in more.counted.items()})
        for key, (line, texts) in more.sample.items():
            self.sample.setdefault(key, (line + lines, texts))
        self.sample = {key: self.sample[key] for key in sorted(self.sample, key=_order)[:SAMPLED]}


def _sum(lengths: list[int], order: Pattern) -> int:
    return sum([lengths[index] for index in order.answers])


def _order(key: int) -> int:
    return key & LOW


def _moved(lines: array[int], by: int) -> array[int]:
    return array(lines.typecode, [line + by for line in lines])


def _join_notes(mine: dict[str, list[int]], theirs: dict[str, list[int]], lines: int) -> None:
    for code, (count, line) in theirs.items():
        mine.setdefault(code, [0, line + lines])[0] += count


def _join_lines(mine: dict[str, list[int]], theirs: dict[str, list[int]], lines: int) -> None:
    """`[count, first line, second line, …]` a kind."""
    for kind, (count, *found) in theirs.items():
        entry = mine.setdefault(kind, [0])
        entry[0] += count
        entry.extend(line + lines for line in found[: max(0, 21 - len(entry))])
