"""Values that were written as a text: JSON within JSON, and what Python prints."""

from __future__ import annotations

import ast
import warnings
from typing import Any

import msgspec


def decoded(value: Any) -> Any:
    """A list or object that was written as a text (JSON, or Python's `repr`), read again; else the value itself.

    >>> decoded('[{"a": 1}]'), decoded("{'a': None}"), decoded("[sic]")
    ([{'a': 1}], {'a': None}, '[sic]')
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return literal(value, value)


def literal(text: str, otherwise: Any) -> Any:
    """What a text of Python stands for (texts, numbers, lists and objects alone), or something else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of '\d' in a text
            return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return otherwise
