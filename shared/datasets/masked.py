"""Texts as they may be shown: what looks like personal data or a secret is covered, character by character."""

from __future__ import annotations

import msgspec

from shared.datasets.findings import Excerpt, Finding

COVER = "•"


def masked(text: str) -> str:
    """A text of the same length, with what the scan for personal data finds covered.

    >>> masked("write to ann.lee@contoso.com today")
    'write to ••••••••••••••••••• today'
    """
    from shared.datasets.pii import Scanner

    data = text.encode("utf-8", "surrogatepass")
    for span in Scanner().spans(data):
        begins, length = len(_decode(data[: span.start])), len(_decode(data[span.start : span.end]))
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


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
