"""`if_else` nodes of a pipeline: which steps their condition leaves out.

Source: azure-ai-ml 1.35 (`entities/_builders/condition_node.py`). A condition that a step's output decides is not known when the
pipeline begins; such nodes are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from azureml_box.errors import ArmError, BadRequest
from azureml_box.jobs.values import Literal, Value, read

KIND = "if_else"
_NODE = re.compile(r"^\$\{\{\s*parent\.jobs\.([\w-]+)\s*\}\}$")
_USED = re.compile(r"\$\{\{\s*parent\.jobs\.([\w-]+)\.outputs\.")
_TRUTH = {"true": True, "false": False}


def left_out(jobs: Mapping[str, Any], given: Mapping[str, Value]) -> set[str]:
    """The names of the jobs that are on a branch not taken, and of those that need their outputs.

    >>> jobs = {"if": {"type": "if_else", "condition": True, "false_block": "${{parent.jobs.b}}"}}
    >>> left_out(jobs, {})
    {'b'}

    Raises:
        ArmError: a condition that is neither true nor false here, or a block that names no job.
    """
    out: set[str] = set()
    for job in jobs.values():
        if job.get("type") == KIND:
            branch = "false_block" if _holds(job.get("condition"), given) else "true_block"
            out |= {_name(block) for block in _blocks(job.get(branch))}
    while found := {name for name, job in jobs.items() if name not in out and _needs(job) & out}:
        out |= found
    return out


def _needs(job: Mapping[str, Any]) -> set[str]:
    return set(_USED.findall(json.dumps(job.get("inputs") or {})))


def _holds(condition: Any, given: Mapping[str, Value]) -> bool:
    value = read(condition, given, "")
    text = value.value.lower() if isinstance(value, Literal) else ""
    if text not in _TRUTH:
        message = (
            f"The condition {condition!r} is decided by a step's output; the emulator takes true, false or an input."
        )
        raise ArmError(501, "NotImplemented", message, "condition")
    return _TRUTH[text]


def _blocks(sent: Any) -> list[Any]:
    return sent if isinstance(sent, list) else [sent] if sent else []


def _name(block: Any) -> str:
    match = _NODE.match(str(block))
    if match is None:
        raise BadRequest(f"{block!r} names no job of the pipeline.", target="if_else")
    return match[1]
