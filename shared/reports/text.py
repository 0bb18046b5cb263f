"""Hostile strings, made harmless to show: escaped, cut, isolated, and what can't be seen made visible."""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

PLAIN_LIMIT = 300
_WEIGHT = 14  # a tag takes the room of so many characters: a page of nothing but tags stays small, too
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SURROGATES = r"\ud800-\udfff"
_HIDDEN = rf"[{_CONTROLS}{_INVISIBLE}{_SURROGATES}]"
_JOINERS = r"[\u200c\u200d]"  # Persian, Indic scripts and emoji need them; between ASCII letters they only hide
_LONE_JOINER = rf"(?<![^\x00-\x7f]){_JOINERS}|{_JOINERS}(?![^\x00-\x7f])"
_MARKS = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{5,}"  # they would cover the lines around
_GAPS = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_SPECIAL = re.compile(rf"(?P<gap>{_GAPS})|(?P<marks>{_MARKS})|{_HIDDEN}|{_LONE_JOINER}|\r(?!\n)")
_SPECIAL_RAW = re.compile(rf"{_SPECIAL.pattern}|[\t\n\r]|{_JOINERS}")
_SHORT = {0: "NUL", 7: "BEL", 8: "BS", 9: "TAB", 10: "LF", 13: "CR", 27: "ESC", 127: "DEL", 0xFEFF: "BOM"}


def plain(text: str, limit: int = PLAIN_LIMIT) -> str:
    """A string for a place that takes no markup (a title, a chart's words): cut, hidden characters by their number."""
    kept = _cut(text, limit, _SPECIAL)
    told = _SPECIAL.sub(lambda found: found[0] if found["gap"] else f"[{_label(found)}]", kept)
    return f"{told}…" if len(kept) < len(text) else told


def shown(
    text: object, limit: int = PLAIN_LIMIT, raw: bool = False, alone: bool = False, whole: int | None = None
) -> Markup:
    """A string for the page's body, isolated from the words around it unless it stands `alone` in its element.

    `raw` shows tabs, line ends and joiners too, as in a piece of a broken line; `whole` is how
    many characters there are where the text was cut before.
    """
    special, given = (_SPECIAL_RAW if raw else _SPECIAL), str(text)
    kept = _cut(given, limit, special)
    body = Markup(special.sub(_tag, str(escape(kept))))  # escaped before, and the tags are ours
    return Markup("{}{}" if alone else "<bdi>{}</bdi>{}").format(body, _more(max(len(given), whole or 0) - len(kept)))


def ending(text: str, limit: int) -> Markup:
    """The end of a string that stands before a marked place."""
    start = max(0, len(text) - limit)
    return Markup("{}{}").format("…" if start else "", shown(text[start:], limit, raw=True))


def beginning(text: str, limit: int) -> Markup:
    """The beginning of a string that stands after a marked place."""
    return Markup("{}{}").format(shown(text[:limit], limit, raw=True), "…" if len(text) > limit else "")


def _cut(text: str, limit: int, special: re.Pattern[str]) -> str:
    room = limit
    for found in special.finditer(text, 0, limit):
        room -= _WEIGHT
        if room <= 0:
            return text[: found.start()]
    return text[:limit]


def _more(count: int) -> Markup:
    if count <= 0:
        return Markup()
    return Markup(' <span class="more">… {:,} more character{}</span>').format(count, "" if count == 1 else "s")


def _tag(found: re.Match[str]) -> str:
    if found["gap"]:
        return f'<span class="gap">{found[0]}</span>'
    name = unicodedata.name(found[0], "CONTROL CHARACTER") if len(found[0]) == 1 else "COMBINING MARKS"
    return f'<span class="hidden" title="{name.lower()}">{_label(found)}</span>'


def _label(found: re.Match[str]) -> str:
    if found["marks"]:
        return f"{len(found[0])} marks"
    code = ord(found[0])
    return _SHORT.get(code, f"U+{code:04X}")
