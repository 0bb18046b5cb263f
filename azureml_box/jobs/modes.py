"""How a step gets its inputs.

Source: `InputDeliveryMode` of the ARM reference, and the short names of components' specs
(learn.microsoft.com/azure/machine-learning/how-to-read-write-data-v2#modes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_box.errors import BadRequest
from azureml_box.jobs.values import Asset, Literal, Value

READ_ONLY, READ_WRITE, DIRECT = "ReadOnlyMount", "ReadWriteMount", "Direct"
_SHORT = {
    "ro_mount": READ_ONLY,
    "rw_mount": READ_WRITE,
    "download": "Download",
    "direct": DIRECT,
    "eval_mount": "EvalMount",
    "eval_download": "EvalDownload",
}
NAMES = {name.lower(): name for name in _SHORT.values()} | _SHORT


def of_inputs(values: Mapping[str, Value], bound: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, str]:
    """The mode of each input that is files: the step's own, else its source's, else its component's, else read-only.

    Raises:
        BadRequest: there is no such mode.
    """
    return {
        name: _known(_mode(bound.get(name)) or getattr(value, "mode", "") or _mode(spec.get(name)) or READ_ONLY)
        for name, value in values.items()
        if not isinstance(value, Literal)
    }


def writable(value: Value, mode: str) -> bool:
    """Whether what a step writes into an input goes back to where it came from.

    A registry's assets cannot be written to by a workspace's jobs.
    """
    return mode == READ_WRITE and not (isinstance(value, Asset) and value.uri.startswith("azureml://registries/"))


def _mode(raw: Any) -> str:
    return str(raw.get("mode") or "") if isinstance(raw, Mapping) else ""


def _known(mode: str) -> str:
    found = NAMES.get(mode.lower())
    if found is None:
        raise BadRequest(f"There is no input mode {mode!r}; known are {', '.join(_SHORT.values())}.", target="mode")
    return found
