"""Why a line is no JSON: the kind of mistake and its place, the same on every version of Python."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

DEEP = 200
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")
_WORDS = re.compile(r"-?(?:NaN|Infinity)|None|True|False|undefined")


@dataclass(frozen=True)
class Broken:
    """A kind of mistake (a code of the rulebook), what to tell, and the bytes of the line that it is about."""

    code: str
    message: str
    start: int
    end: int


class _ConstantError(Exception):
    """JSON's own reader of Python takes NaN, we do not."""


def why(line: bytes, *, last: bool = False) -> Broken:
    """What is wrong with a line that msgspec does not take; `last` where the file ends without a line end after it."""
    if (place := line.find(b"\x00")) >= 0:
        return Broken("nul_byte", f"byte {place + 1} of the line is a NUL byte", place, place + 1)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return Broken("invalid_utf8", f"byte {error.start + 1} of the line is no UTF-8", error.start, error.end)
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        code, message, start, end = _kind(text, error.msg, error.pos, last)
        return _broken(text, code, message, start, end)
    except _ConstantError as error:
        return _constant(text, str(error))
    except (RecursionError, ValueError):
        pass
    return _beyond_json(text)


def depth(line: bytes) -> int:
    """How deep brackets are nested in a line, those in texts left out."""
    deepest = level = 0
    for token in _BRACKETS.findall(line):
        if token in (b"[", b"{"):
            level += 1
            deepest = max(deepest, level)
        elif token in (b"]", b"}"):
            level -= 1
    return deepest


def _refuse(word: str) -> None:
    raise _ConstantError(word)


def _kind(text: str, told: str, place: int, last: bool) -> tuple[str, str, int, int]:
    here = text[place : place + 1]
    if told.startswith("Extra data"):
        if here in ("{", "["):
            return "two_objects", f"a second object begins at character {place + 1}", place, place + 1
        return "invalid_json", f"character {place + 1} stands after the object's end", place, place + 20
    if told.startswith("Invalid control character"):
        return "control_character", f"character {place + 1} is a raw control character in a text", place, place + 1
    if (comma := _trailing_comma(text, place)) is not None:
        return "trailing_comma", f"the comma at character {comma + 1} has nothing after it", comma, comma + 1
    if here == "'":
        return "single_quotes", f"character {place + 1} is a single quote", place, place + 1
    if word := _WORDS.match(text, place):
        return "python_literal", f"{word[0]} at character {place + 1} is not JSON", place, word.end()
    if not text[place:].strip() or told.startswith("Unterminated string"):
        where = "the file ends" if last else "the line ends"
        return "truncated_line", f"{where} in the middle of the object", max(0, len(text) - 20), len(text)
    return "invalid_json", f"character {place + 1} ({here!r}) is not what JSON wants there", place, place + 1


def _trailing_comma(text: str, place: int) -> int | None:
    if text[place : place + 1] == ",":
        return place if text[place + 1 :].lstrip()[:1] in ("]", "}") else None
    before = text[:place].rstrip()
    return len(before) - 1 if before.endswith(",") and text[place : place + 1] in ("]", "}") else None


def _constant(text: str, word: str) -> Broken:
    place = text.find(word)
    return _broken(text, "python_literal", f"{word} is not JSON", place, place + len(word))


def _beyond_json(text: str) -> Broken:
    if half := _SURROGATE.search(text):
        message = f"character {half.start() + 1} begins half a character"
        return _broken(text, "lone_surrogate", message, half.start(), half.start() + 6)
    return _broken(text, "invalid_json", "the line holds what JSON readers do not take", 0, 1)


def _broken(text: str, code: str, message: str, start: int, end: int) -> Broken:
    first = len(text[:start].encode("utf-8", "surrogatepass"))
    return Broken(code, message, first, first + len(text[start:end].encode("utf-8", "surrogatepass")))
