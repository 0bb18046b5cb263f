"""Bank account numbers: ISO 13616, with the lengths of SWIFT's registry and the check of ISO 7064 (mod 97-10)."""

from __future__ import annotations

from collections.abc import Iterator

from shared.datasets.pii.kinds import Span, compiled

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
_FORM = compiled(rb"[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![a-z0-9])")
_BEFORE, _AFTER = 10, 40  # "GB82 WEST " may stand before the first long stretch of digits


def ibans(block: bytes, start: int, end: int) -> Iterator[Span]:
    """Every account number that begins in a stretch of digits or just before it."""
    for found in _FORM.finditer(block, max(0, start - _BEFORE), end + _AFTER):
        if found.start() < end and _holds(found[0].replace(b" ", b"")):
            yield Span(found.start(), found.end(), "iban")


def _holds(text: bytes) -> bool:
    """Tells whether the first bytes are a whole number of their country; capitals that follow are another word."""
    length = _LENGTHS.get(text[:2], len(text) + 1)
    if len(text) < length or text[2:4] in (b"00", b"01", b"99"):
        return False
    turned = text[4:length] + text[:4]
    return int("".join(str(int(chr(one), 36)) for one in turned)) % 97 == 1
