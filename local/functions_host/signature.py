"""Checks that a function's parameters and its bindings agree, as the real worker does when it loads the function.

Source: azure_functions_runtime's Registry (PyPI); a function that passes here must pass there.
"""

import inspect
import typing
from collections.abc import Callable
from functools import cache
from typing import Any

import azure.functions as func
from azure.functions import get_binding_registry

from local.functions_host.errors import IndexingError


def converter(kind: str) -> Any:
    """Return the library's converter of a binding type."""
    registry: Any = get_binding_registry  # the library has no types here
    return registry().get(kind)


def wants_context(call: Callable[..., Any], bindings: list[dict[str, Any]]) -> bool:
    """Tell whether the function has a `context` parameter that is no binding: only that name gets a func.Context."""
    return "context" in _parameters(call) and all(b["name"] != "context" for b in bindings)


def is_plain(call: Callable[..., Any], parameter: str) -> bool:
    """Tell whether the parameter is annotated `str` or `bytes`: it then gets the data as they came, unconverted."""
    return _hints(call).get(parameter) in (str, bytes)


@cache
def _parameters(call: Callable[..., Any]) -> frozenset[str]:
    """The names of a function's parameters: asked at every invocation, read once."""
    return frozenset(inspect.signature(call).parameters)


@cache
def _hints(call: Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(call)


def check_signature(name: str, call: Callable[..., Any], bindings: list[dict[str, Any]]) -> None:
    """Raise IndexingError for a parameter without a binding, the other way round, or an annotation that doesn't fit."""
    bound = {b["name"]: b for b in bindings if b["name"] != "$return"}
    context = {"context"} if wants_context(call, bindings) else set()
    declared = set(inspect.signature(call).parameters) - context
    if missing := sorted(declared - set(bound)):
        raise IndexingError(f"{name} declares the parameters {missing}, for which it has no binding")
    if missing := sorted(set(bound) - declared):
        raise IndexingError(f"{name} has bindings for {missing}, which are no parameters of it")
    hints = typing.get_type_hints(call)
    if context and hints.get("context", func.Context) is not func.Context:
        raise IndexingError(f"{name}: the parameter context must be annotated func.Context")
    for parameter, binding in bound.items():
        if parameter in hints and not _fits(binding, hints[parameter]):
            raise IndexingError(f"{name}: {parameter} can't be {hints[parameter]!r} for a {binding['type']} binding")


def _fits(binding: dict[str, Any], hint: Any) -> bool:
    is_out = typing.get_origin(hint) is func.Out
    if is_out != (binding.get("direction", "").upper() == "OUT"):
        return False
    wanted = typing.get_args(hint)[0] if is_out else hint
    if wanted in (str, bytes):
        return True
    if not is_out:
        return isinstance(wanted, type) and converter(binding["type"]).check_input_type_annotation(wanted)
    return bool(converter(binding["type"]).check_output_type_annotation(wanted))
