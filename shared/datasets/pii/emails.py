r"""E-mail addresses, each found by its `@`.

RFC 5321 4.5.3.1 (64 bytes before, labels of up to 63 after); RFC 2606 and 6761 keep example.* and the like for nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.datasets.pii.kinds import Span

_LOCAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-"
_MOST, _FEW = 64, 1000
_DOMAIN = re.compile(
    rb"@(?<=[A-Za-z0-9_%+-]@)((?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,8}([A-Za-z]{2,24}))(?![A-Za-z0-9@-])"
)
_NOBODYS = re.compile(rb"(?:.*\.)?(?:example\.(?:com|org|net)|example|test|invalid|localhost|localdomain)", re.I)
_NO_TOP = frozenset(b"png jpg jpeg gif svg webp js ts css html json local".split())
_NOBODY = re.compile(rb"(?:no-?reply|do-?not-?reply|git|user|username|your[._-]?e?mail|you)", re.I)
_ESCAPE = re.compile(rb"[bfnrt]|u[0-9A-Fa-f]{4}")


def emails(block: bytes) -> Iterator[Span]:
    """Every address of the block but the well-known placeholders (`jane@example.com`, `noreply@…`)."""
    for found in _domains(block):
        if _NOBODYS.fullmatch(found[1]) or found[2].lower() in _NO_TOP:
            continue
        start = _begin(block, found.start())
        if start < found.start() and not _NOBODY.fullmatch(block[start : found.start()]):
            yield Span(start, found.end(), "email")


def _domains(block: bytes) -> Iterator[re.Match[bytes]]:
    """Every `@` with its domain: by memchr while they are few, else by the pattern, which steps faster."""
    at = -1
    for _ in range(_FEW):
        at = block.find(b"@", at + 1)
        if at < 0:
            return
        if found := _DOMAIN.match(block, at):
            yield found
    yield from _DOMAIN.finditer(block, at + 1)


def _begin(block: bytes, at: int) -> int:
    """Where the part before the `@` begins: after an escape that seems to be a part of it (`\\njane@`)."""
    before = block[max(0, at - _MOST) : at]
    start = at - len(before) + len(before.rstrip(_LOCAL))
    if start and block[start - 1] == 0x5C and (escape := _ESCAPE.match(block, start, at)):
        return escape.end()
    return start
