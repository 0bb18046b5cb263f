"""The command line of a step: inputs and outputs put in, optional parts left out.

Syntax: learn.microsoft.com/azure/machine-learning/reference-yaml-component-command (`$[[ … ]]` is dropped as a whole
where an optional input in it is not given).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from azureml_box.errors import BadRequest

_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_REFERENCE = re.compile(r"\$\{\{\s*(inputs|outputs|search_space)\.([\w.]+)\s*\}\}")


def render(command: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    """The command for bash.

    >>> render("run $[[--a ${{inputs.a}}]] $[[--b ${{inputs.b}}]] --o ${{outputs.o}}", {"a": "1"}, {"o": "/out"})
    'run --a 1  --o /out'

    Raises:
        BadRequest: it names an input or output that there is not.
    """
    known = {"inputs": inputs, "outputs": outputs, "search_space": inputs}  # a trial's values are inputs of it

    def optional(match: re.Match[str]) -> str:
        there = all(name in known.get(kind, {}) for kind, name in _REFERENCE.findall(match[1]))
        return match[1] if there else ""

    def value(match: re.Match[str]) -> str:
        found = known.get(match[1], {}).get(match[2])
        if found is None:
            raise BadRequest(f"The command names {match[0]}, which has no value.", target="command")
        return found

    return _REFERENCE.sub(value, _OPTIONAL.sub(optional, command))
