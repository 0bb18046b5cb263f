"""Bank account numbers: ISO 13616, with the lengths of SWIFT's registry and the check of ISO 7064 (mod 97-10)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from shared.datasets.pii.kinds import Block, Span, border

_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FO FI GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK MN",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM TL SO",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "PT ST LY",
    26: "IS TR",
    27: "FR GR IT MC MR SM BI DJ",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_LENGTHS = {country.encode(): length for length, names in _COUNTRIES.items() for country in names.split()}
# 9 digits soon: a number without them is in no stretch that is looked at
_HEAD = rb"[A-Z](?=[A-Z]\d\d)" + border(rb"A-Za-z0-9_", 1) + rb"[A-Z]\d\d(?=[A-Z0-9 ]{0,8}\d(?: ?\d){8})"
_FORM = rb"[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![a-z0-9])"
_AS_DIGITS = {letter: str(letter - ord("A") + 10) for letter in range(ord("A"), ord("Z") + 1)}
_BEFORE, _AFTER = 13, 32  # "RO49 AAAA 1B" may stand before the stretch of digits, which the head looks into


@cache
def _pattern(text: bytes) -> re.Pattern[bytes]:
    return re.compile(text)


def ibans_at(block: Block, start: int) -> Iterator[Span]:
    """The account numbers whose first long stretch of digits begins at `start`, and perhaps the next ones."""
    return _held(block, _pattern(_HEAD).finditer(block, max(0, start - _BEFORE), start + _AFTER))


def ibans(block: bytes) -> Iterator[Span]:
    """Every account number of the block."""
    return _held(block, _pattern(_HEAD).finditer(block))


def _held(block: Block, heads: Iterable[re.Match[bytes]]) -> Iterator[Span]:
    for head in heads:
        found = _pattern(_FORM).match(block, head.start())
        if found and (length := _length(found[0].replace(b" ", b""))):
            yield Span("iban", found.start(), found.start() + _spread(found[0], length))


def _length(text: bytes) -> int:
    """The length of the number, or 0 if it is none; capitals that follow are another word."""
    length = _LENGTHS.get(text[:2], len(text) + 1)
    if len(text) < length or text[2:4] in (b"00", b"01", b"99"):
        return 0
    turned = (text[4:length] + text[:4]).decode("ascii").translate(_AS_DIGITS)
    return length if int(turned) % 97 == 1 else 0


def _spread(text: bytes, length: int) -> int:
    """How many bytes the first `length` take up with their spaces."""
    return next(at for at in range(length, len(text) + 1) if at - text.count(b" ", 0, at) == length)
