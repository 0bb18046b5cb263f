"""The forms of phone numbers: E.164 with `+`; without it those of NANP, France, the United Kingdom and German mobiles.

555-01xx (NANP) and Ofcom's drama numbers belong to nobody.
"""

from __future__ import annotations

import re

# ITU's list of country codes: those whose numbers, as a rule, have one length
_LENGTHS = {8: b"45 47 65", 9: b"27 31 33 34 40 41 48 51 56 61 351 380 420", 10: b"1 7 20 30 44 52 57 63 90 91 92"}
_SIGN = rb"(?: \(|\) |[ .()-])"
_DIGIT = rb"(?:" + _SIGN + rb"?\d)"


def _fixed() -> bytes:
    rows = (b"(?:%b)%b{%d}" % (codes.replace(b" ", b"|"), _DIGIT, length) for length, codes in _LENGTHS.items())
    return b"(?:" + b"|".join(rows) + b")"


# what ends first: the country's length, one number without a gap, a last group of 6 or more, then 15 digits in all
INTERNATIONAL = (
    rb"[1-9]\d{8,14}",
    _fixed(),
    rb"[1-9](?=" + _DIGIT + rb"{8})\d{0,3}(?:" + _SIGN + rb"\d{1,5}){0,3}" + _SIGN + rb"\d{6,8}",
    rb"[1-9]" + _DIGIT + rb"{8,14}",
)
_IN_BRACKETS = rb"[2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4}"
_WITH_SIGNS = rb"\d\d(?: [2-9]\d\d |\.[2-9]\d\d\.|-[2-9]\d\d-)\d{4}"
# the first byte, and what follows it
NATIONAL = (
    (b"(", _IN_BRACKETS),
    (b"2-9", _WITH_SIGNS),
    (b"1", rb"[ .-](?:\(" + _IN_BRACKETS + rb"|[2-9]" + _WITH_SIGNS + rb")"),
    (b"0", rb"[1-9](?:(?: \d\d){4}|(?:\.\d\d){4}|(?:-\d\d){4})"),
    (b"0", rb"(?:20 \d{4} \d{4}|7\d{3} \d{6}|1\d{3} \d{6}|1\d1 \d{3} \d{4})"),
    (b"0", rb"1[567]\d[ -]\d{7,8}"),
)
_NOBODYS = rb"1?\d{3}55501\d\d|(?:44)?0?(?:2079460\d{3}|7700900\d{3})|0?123456789\d*|(\d)\1+"


def somebodys_phone(digits: bytes) -> bool:
    """Tells a phone number of 9 to 15 digits from those that are kept for films and examples."""
    return 9 <= len(digits) <= 15 and not re.fullmatch(_NOBODYS, digits)
