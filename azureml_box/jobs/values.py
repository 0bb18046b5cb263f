"""What a step's input can be: a literal, an asset or address, or another step's output; and how bindings name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azureml_box.errors import BadRequest


@dataclass(frozen=True)
class Literal:
    """A value that goes into the command as text."""

    value: str


@dataclass(frozen=True)
class Asset:
    """Files by an asset's id or an address; `mode` is how the giver wants them delivered, if he says so."""

    type: str
    uri: str
    mode: str = ""


@dataclass(frozen=True)
class FromStep:
    """The files that another step writes; `step` is its path in the pipeline."""

    step: str
    output: str


Value = Literal | Asset | FromStep
_PARENT_INPUT = re.compile(r"\$\{\{\s*parent\.inputs\.([\w.]+)\s*\}\}")
_STEP_OUTPUT = re.compile(r"\$\{\{\s*parent\.jobs\.([\w-]+)\.outputs\.(\w+)\s*\}\}")
_PARENT_OUTPUT = re.compile(r"\$\{\{\s*parent\.outputs\.(\w+)\s*\}\}")


def read(raw: Any, given: Mapping[str, Value], path: str) -> Value | None:
    """The value that a binding, an address or a literal stands for; None is an optional input that is not given.

    Raises:
        BadRequest: the binding names an input that the parent does not have.
    """
    if isinstance(raw, dict):
        if "uri" in raw or "path" in raw:
            text = str(raw.get("uri") or raw.get("path"))
            return read(text, given, path) if "${{" in text else Asset(_type(raw), text, str(raw.get("mode") or ""))
        raw = raw.get("value")
    if raw is None:
        return None
    text = _text(raw)
    if whole := _PARENT_INPUT.fullmatch(text):
        return given.get(whole[1])
    if source := _STEP_OUTPUT.fullmatch(text):
        return FromStep(f"{path}{source[1]}", source[2])
    return Literal(_PARENT_INPUT.sub(lambda match: _part(given.get(match[1]), match[0]), text))


def bound_output(raw: Any) -> str | None:
    """The parent's output that a step's output is bound to, or None."""
    if isinstance(raw, dict):
        raw = raw.get("value") or raw.get("path") or raw.get("uri") or ""
    match = _PARENT_OUTPUT.fullmatch(str(raw).strip())
    return match[1] if match else None


def _type(raw: Mapping[str, Any]) -> str:
    return str(raw.get("job_input_type") or raw.get("jobInputType") or raw.get("type") or "uri_folder")


def _text(raw: Any) -> str:
    return str(raw).lower() if isinstance(raw, bool) else str(raw)


def _part(value: Value | None, binding: str) -> str:
    if isinstance(value, Literal):
        return value.value
    raise BadRequest(f"{binding} stands inside a text and must be a literal value.")
