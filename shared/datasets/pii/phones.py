"""The forms of phone numbers: E.164 with `+`, and what people write in North America, France, Britain and Germany."""

from __future__ import annotations

import re

# ITU's list of country codes: those whose numbers, as a rule, have one length
_LENGTHS = {8: "45 47 65", 9: "27 31 33 34 40 41 48 51 56 61 351 380 420", 10: "1 7 20 30 44 52 57 63 90 91 92"}
_DIGIT = rb"(?:(?:\) |[ .()-])?\d)"


def _fixed() -> bytes:
    rows = ("(?:%s)%s{%d}" % (codes.replace(" ", "|"), _DIGIT.decode(), length) for length, codes in _LENGTHS.items())
    return "|".join(rows).encode()


# what ends first: the country's length, one number without a gap, a last group of 6 or more, then 15 digits in all
INTERNATIONAL = (
    rb"[1-9]\d{8,14}",
    _fixed(),
    rb"[1-9](?=" + _DIGIT + rb"{8})\d{0,3}(?:(?:\) |[ .()-])\d{1,5}){0,3}(?:\) |[ .()-])\d{6,8}",
    rb"[1-9]" + _DIGIT + rb"{8,14}",
)
NANP = rb"(?:\([2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4}|[2-9]\d\d(?: [2-9]\d\d |\.[2-9]\d\d\.|-[2-9]\d\d-)\d{4})"
# the first byte, and what follows it
NATIONAL = (
    (b"(", rb"[2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4}"),
    (b"1", rb"[ .-]" + NANP),
    (b"2-9", rb"\d\d(?: [2-9]\d\d |\.[2-9]\d\d\.|-[2-9]\d\d-)\d{4}"),
    (b"0", rb"[1-9](?:(?: \d\d){4}|(?:\.\d\d){4}|(?:-\d\d){4})"),
    (b"0", rb"(?:20 \d{4} \d{4}|7\d{3} \d{6}|1\d{3} \d{6}|1\d1 \d{3} \d{4})"),
    (b"0", rb"1[567]\d[ -]\d{7,8}"),
)
_NOBODYS = re.compile(rb"1?\d{3}55501\d\d|(?:44)?0?(?:2079460\d{3}|7700900\d{3})|0?123456789\d*|(\d)\1+")


def somebodys_phone(digits: bytes) -> bool:
    """Tells a phone number of 9 to 15 digits from those that are kept for films and examples."""
    return 9 <= len(digits) <= 15 and not _NOBODYS.fullmatch(digits)
