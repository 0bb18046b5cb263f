r"""E-mail addresses, each found by its `@`.

RFC 5321 4.5.3.1 (64 bytes before, labels of up to 63 after); RFC 2606 and 6761 keep example.* and the like for nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from shared.datasets.pii.kinds import Block, Finder, Span

_LOCAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-"
_MOST = 64
_DOMAIN = rb"@(?<=[A-Za-z0-9_%+-]@)((?:[A-Za-z0-9][A-Za-z0-9-]{0,62}+\.){1,8}([A-Za-z]{2,24}))(?![A-Za-z0-9@-])"
_NOBODYS = rb"(?:.*\.)?(?:example\.(?:com|org|net)|example|test|invalid|localhost|localdomain)"
_NO_TOP = frozenset(b"png jpg jpeg gif svg webp js ts css html json local".split())
_NOBODY = rb"(?:no-?reply|do-?not-?reply|git|user|username|your[._-]?e?mail|you)"
_ESCAPE = rb"[bfnrt]|u[0-9A-Fa-f]{4}"


@cache
def _pattern(text: bytes) -> re.Pattern[bytes]:
    return re.compile(text, re.IGNORECASE if text in (_NOBODYS, _NOBODY) else 0)


def _near(block: Block, ends: list[int]) -> Iterator[Span]:
    match = _pattern(_DOMAIN).match
    return _addresses(block, (found for end in ends if (found := match(block, end - 1))))


def _anywhere(block: bytes) -> Iterator[Span]:
    return _addresses(block, _pattern(_DOMAIN).finditer(block))


def _addresses(block: Block, domains: Iterable[re.Match[bytes]]) -> Iterator[Span]:
    """Every address but the well-known placeholders (`jane@example.com`, `noreply@…`)."""
    for found in domains:
        if found[2].lower() in _NO_TOP or _pattern(_NOBODYS).fullmatch(found[1]):
            continue
        start = _begin(block, found.start())
        if start < found.start() and not _pattern(_NOBODY).fullmatch(block, start, found.start()):
            yield Span("email", start, found.end())


def _begin(block: Block, at: int) -> int:
    """Where the part before the `@` begins: after an escape that seems to be a part of it (`\\njane@`)."""
    before = bytes(block[max(0, at - _MOST) : at])
    start = at - len(before) + len(before.rstrip(_LOCAL))
    if start and block[start - 1] == 0x5C and (escape := _pattern(_ESCAPE).match(block, start, at)):
        return escape.end()
    return start


FINDER = Finder(b"@", _near, _anywhere)
