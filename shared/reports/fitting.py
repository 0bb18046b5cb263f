"""Reads what fits a type and leaves the rest: a report lies where users write, and must never stop a run."""

from __future__ import annotations

from typing import Any, TypeVar, get_args, get_origin

import msgspec

T = TypeVar("T")


def fit(value: object, kind: type[T]) -> T | None:
    """The largest part of a plain value that a type takes; None where nothing does.

    A struct loses the fields that don't fit, a list its items, a dictionary its values.
    """
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError):
        return _part(value, kind)


def _part(value: object, kind: Any) -> Any:
    if hasattr(kind, "__metadata__"):
        return _part(value, kind.__origin__)
    parts = get_args(kind)
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(value, kind)
    if isinstance(value, list) and get_origin(kind) is list:
        return [kept for item in value if (kept := fit(item, parts[0])) is not None]
    if isinstance(value, dict) and get_origin(kind) is dict:
        return {key: kept for key, item in value.items() if (kept := fit(item, parts[1])) is not None}
    choices = [part for part in parts if part is not type(None)] if type(None) in parts else []
    return next((kept for part in choices if (kept := fit(value, part)) is not None), None)


def _struct(value: dict[Any, Any], kind: type[msgspec.Struct]) -> msgspec.Struct | None:
    fitting = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name in value and (kept := fit(value[field.encode_name], field.type)) is not None:
            fitting[field.name] = kept
    try:
        return kind(**fitting)
    except TypeError:  # a field that it can't do without
        return None
