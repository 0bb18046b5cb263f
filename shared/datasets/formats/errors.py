"""What can go wrong with a file or row of another format.

DroptuneError
├── FormatError            the file cannot be read to its end, or is something that cannot be read at all
└── CannotConvertError     a row cannot become a conversation without losing what it says
"""

from __future__ import annotations

from shared.errors import DroptuneError


def named(name: object) -> str:
    """A name out of a file, fit to be shown: short, in backticks, without anything that steers a terminal."""
    text = str(name)
    return "`" + "".join(c if c.isprintable() else "\ufffd" for c in text[:40]) + ("…`" if len(text) > 40 else "`")


class FormatError(DroptuneError):
    """A file is not what it should be; `reason` names the place, `fix` how to mend it."""


class CannotConvertError(DroptuneError):
    """A row cannot be turned into a chat row; `reason` says why."""
