"""Texts as they may be shown: what looks like personal data or a secret is covered, character by character."""

from __future__ import annotations

import re

import msgspec

from shared.datasets.findings import Excerpt, Finding

COVER = "•"
_VALUE = re.compile(rb"[^\s\"'<>,;]+(?:[ -]?[0-9A-Z]{2,4}(?![A-Za-z0-9]))*")
_KEY = re.compile(rb"-----BEGIN.*", re.DOTALL)


def masked(text: str) -> str:
    """A text of the same length, with what the scan for personal data finds covered.

    >>> masked("write to ann.lee@contoso.com today")
    'write to ••••••••••••••••••• today'
    """
    from shared.datasets.pii import Scanner

    data = text.encode("utf-8", "surrogatepass")
    for hit in Scanner().scan(data):
        start, end = _span(data, hit.offset)
        begins, length = len(_decode(data[:start])), len(_decode(data[start:end]))
        text = text[:begins] + COVER * length + text[begins + length :]
    return text


def covered(finding: Finding) -> Finding:
    """A finding whose excerpt is covered where it must be."""
    excerpt = finding.excerpt
    if excerpt is None:
        return finding
    whole = masked(excerpt.before + excerpt.marked + excerpt.after)
    first, second = len(excerpt.before), len(excerpt.before) + len(excerpt.marked)
    return msgspec.structs.replace(finding, excerpt=Excerpt(whole[:first], whole[first:second], whole[second:]))


def _span(data: bytes, offset: int) -> tuple[int, int]:
    found = _KEY.match(data, offset) or _VALUE.match(data, offset)
    return offset, found.end() if found else offset


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
