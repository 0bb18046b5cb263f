"""A whole file of another format as chat rows, with an account of what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.datasets.formats.errors import CannotConvertError, named
from shared.datasets.formats.shapes import CHAT, shape_of
from shared.datasets.formats.sources import open_source

LISTED, NAMES = 1000, 200
MAX_LINE = 16 * 2**20
_encode = msgspec.json.Encoder().encode


@dataclass
class Account:
    """What became of a file; `refused` are the first thousand rows that could not be converted, with their reasons."""

    containers: tuple[str, ...] = ()
    unit: str = "line"
    rows_in: int = 0
    rows_out: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    refused_total: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The document of `droptune convert --json`."""
        return {
            "containers": list(self.containers),
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "shapes": dict(self.shapes.most_common()),
            "left_out": dict(self.left_out.most_common()),
            "refused_total": self.refused_total,
            "refused": [{self.unit: number, "reason": reason} for number, reason in self.refused],
        }


def convert(chunks: Iterable[bytes], account: Account, *, skip: bool = False) -> Iterator[bytes]:
    """Chat rows, one a line; `account` is filled meanwhile.

    Raises:
        FormatError: the file cannot be read (to its end).
        CannotConvertError: a row cannot be converted, or none can; with `skip`, such rows are left out.
    """
    source = open_source(chunks)
    account.containers, account.unit = source.names, source.unit
    for number, value in source.rows:
        account.rows_in += 1
        try:
            line = _line(value, account)
        except CannotConvertError as error:
            if not skip:
                fix = error.fix or "Mend the row, or leave out all that cannot be converted: --skip"
                raise CannotConvertError(f"{source.unit} {number}: {error.reason}", fix) from error
            account.refused_total += 1
            if len(account.refused) < LISTED:
                account.refused.append((number, error.reason))
            continue
        account.rows_out += 1
        yield line
    if not account.rows_out:
        raise CannotConvertError(f"none of the {account.rows_in} rows can be converted", _first(account))


def _first(account: Account) -> str:
    return f"{account.unit} {account.refused[0][0]}: {account.refused[0][1]}" if account.refused else "Write some rows."


def _line(row: Any, account: Account) -> bytes:
    if isinstance(row, CannotConvertError):
        raise row
    shape = shape_of(row) or (CHAT if isinstance(row, dict) and CHAT.fits(row) else None)
    if shape is None:
        raise CannotConvertError(f"the row is of no shape that droptune knows: {_told(row)}", _wrapped(row))
    left_out: Counter[str] = Counter()
    try:
        line = _encode(shape.convert(row, left_out)) + b"\n"
    except UnicodeEncodeError as error:
        raise CannotConvertError("a text holds half a character (a lone surrogate)") from error
    except RecursionError as error:
        raise CannotConvertError("brackets are nested too deep") from error
    if len(line) > MAX_LINE:
        raise CannotConvertError(f"the row has {len(line):,} bytes, more than 16 MB")
    account.shapes[shape.name] += 1
    for name, count in left_out.items():
        full = len(account.left_out) >= NAMES and name not in account.left_out
        account.left_out["what has yet other names" if full else name] += count
    return line


def _told(row: Any) -> str:
    if isinstance(row, dict):
        return "its columns are " + (", ".join(named(key) for key in list(row)[:12]) or "none")
    return "it is no object"


def _wrapped(row: Any) -> str:
    """How to get at rows that stand in a list within one object."""
    for key, value in row.items() if isinstance(row, dict) else ():
        if isinstance(value, list) and value and all(shape_of(item) or isinstance(item, dict) for item in value[:3]):
            name = named(key)
            return f"If the rows stand in {name}: jq -c '.[\"{name[1:-1]}\"][]' FILE > ROWS.jsonl"
    return ""
