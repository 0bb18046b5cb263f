"""A JSON array (or objects written one after the other over many lines) as JSON lines, read as a stream.

Elements are passed on byte for byte, broken ones too, so that the checker can say what is wrong with them; a line end
within an element becomes a carriage return: between tokens that is JSON's white space as well, within a text it is as
forbidden as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shared.datasets.formats.blocks import same_sized
from shared.datasets.formats.errors import FormatError

BLOCK = 256 * 1024
# To the next bracket; over short texts, too, which are most: Python then looks at long or escaped ones alone.
_PLAIN = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]{0,60}+"[^"\[\]{}]*+)*+')
_SPACE = re.compile(rb"[ \t\r\n]+")
_NEXT = re.compile(rb"[ \t\r\n]*+,[ \t\r\n]*+([\[{])")
_BARE = re.compile(rb"[^ \t\r\n,\[\]{\"]+")
_BOM = b"\xef\xbb\xbf"


def array_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The elements of an array, a line each.

    Raises:
        FormatError: the array has no beginning, no end, a comma too many, or something after its end.
    """
    return _lines(_Scan(array=True), chunks)


def object_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Objects one after the other, over as many lines as they like, a line each.

    Raises:
        FormatError: the file ends in mid-object, or there is a comma between two objects.
    """
    return _lines(_Scan(array=False), chunks)


def _lines(scan: _Scan, chunks: Iterable[bytes]) -> Iterator[bytes]:
    try:
        for block in same_sized(chunks, BLOCK):
            scan.feed(block)
            yield from scan.taken()
        scan.finish()
    except FormatError:
        yield from scan.taken()
        raise
    yield from scan.taken()


class _Scan:
    """Where in the file we are: `depth` counts brackets within an element, `text` is true within a string."""

    def __init__(self, *, array: bool) -> None:
        self.out: list[bytes] = []
        self._array = array
        self._step = self._before if array else self._between
        self._offset = self._depth = self._elements = 0
        self._text = self._escaped = False
        self._filled = self._space = self._comma = False

    def taken(self) -> Iterator[bytes]:
        """What came out since the last call, if anything did."""
        data = b"".join(self.out)
        self.out = []
        if data:
            yield data

    def feed(self, block: bytes) -> None:
        """Reads a block on from where the last one ended."""
        place = 0
        if not self._offset and block.startswith(_BOM):
            place = len(_BOM)
        while place < len(block):
            place = self._step(block, place)
        self._offset += len(block)

    def finish(self) -> None:
        """Ends the last line."""
        if self._filled:
            self.out.append(b"\n")
        if self._depth or self._text:
            raise FormatError(f"the file ends in the middle of element {self._elements}", "Write the file to its end.")
        if self._array and self._step == self._between:
            message = f"the array is not closed: the file ends after {self._elements} elements"
            raise FormatError(message, "Write the file to its end, with the closing bracket.")

    def _before(self, block: bytes, place: int) -> int:
        if space := _SPACE.match(block, place):
            return space.end()
        if block[place] != ord("["):
            what = "an object" if block[place] == ord("{") else "no bracket"
            message = f"the file is no JSON array: {what} stands at byte {self._at(place)}"
            raise FormatError(message, "Name JSON lines .jsonl, or: droptune convert FILE -o OUT.jsonl")
        self._step = self._between
        return place + 1

    def _between(self, block: bytes, place: int) -> int:
        if self._array and self._filled and (found := _NEXT.match(block, place)):
            self.out.append(b"\n" + found[1])
            self._elements += 1
            self._depth, self._step, self._space, self._comma = 1, self._inside, False, True
            return found.end()
        if space := _SPACE.match(block, place):
            self._space = True
            return space.end()
        here = block[place : place + 1]
        if here == b"," and (self._array or not self._filled):
            return self._next(place)
        if here == b"]" and self._array:
            return self._close(place)
        self._begin()
        if here in (b"[", b"{", b'"'):
            self._text = here == b'"'
            self._depth = 0 if self._text else 1
            self._step = self._inside
            self.out.append(here)
            return place + 1
        bare = _BARE.match(block, place)
        end = bare.end() if bare else place + 1
        self.out.append(block[place:end])
        return end

    def _begin(self) -> None:
        if not self._filled:
            self._elements += 1
        elif self._space:
            self.out.append(b" ")
        self._filled, self._space = True, False

    def _next(self, place: int) -> int:
        if not self._filled:
            raise FormatError(f"the comma at byte {self._at(place)} has nothing before it", "Take the comma out.")
        self.out.append(b"\n")
        self._filled, self._space, self._comma = False, False, True
        return place + 1

    def _close(self, place: int) -> int:
        if self._comma and not self._filled:
            raise FormatError(f"a comma stands before the closing bracket at byte {self._at(place)}", "Take it out.")
        if self._filled:
            self.out.append(b"\n")
            self._filled = False
        self._step = self._after
        return place + 1

    def _after(self, block: bytes, place: int) -> int:
        if space := _SPACE.match(block, place):
            return space.end()
        message = f"something stands after the array's closing bracket, at byte {self._at(place)}"
        raise FormatError(message, "Write one array and nothing else.")

    def _inside(self, block: bytes, place: int) -> int:
        start = place
        while place < len(block) and (self._depth or self._text):
            place = self._through_text(block, place) if self._text else self._to_bracket(block, place)
        self.out.append(block[start:place].replace(b"\n", b"\r"))
        if not self._depth and not self._text:
            self._step = self._between
            if not self._array:
                self.out.append(b"\n")
                self._filled = self._space = False
        return place

    def _to_bracket(self, block: bytes, place: int) -> int:
        plain = _PLAIN.match(block, place)
        place = plain.end() if plain else place
        if place == len(block):
            return place
        here = block[place]
        if here == ord('"'):
            self._text = True
        else:
            self._depth += 1 if here in b"[{" else -1
        return place + 1

    def _through_text(self, block: bytes, place: int) -> int:
        if self._escaped:
            self._escaped = False
            return place + 1
        end = place
        while (end := block.find(b'"', end)) >= 0:
            if not _is_escaped(block, place, end):
                self._text = False
                return end + 1
            end += 1
        self._escaped = _is_escaped(block, place, len(block))
        return len(block)

    def _at(self, place: int) -> str:
        return f"{self._offset + place + 1:,}"


def _is_escaped(block: bytes, start: int, end: int) -> bool:
    """Whether an odd number of backslashes stands before a place of a text that begins at `start`."""
    first = end
    while first > start and block[first - 1] == ord("\\"):
        first -= 1
    return (end - first) % 2 == 1
