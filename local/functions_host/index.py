"""Loads the app and lists its functions from the library's own metadata, as the real worker does.

Source: azure_functions_runtime's loader and functions (PyPI), and docs of `azure.functions.FunctionApp`.
"""

import importlib
import json
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import azure.functions as func

from local.functions_host.errors import AppLoadError, HostError, IndexingError
from local.functions_host.settings import is_disabled, resolve
from local.functions_host.signature import check_signature

TRIGGERS = ("httpTrigger", "queueTrigger", "timerTrigger", "eventGridTrigger")
OUTPUTS = ("http", "queue")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Function:
    """One function of the app; `error` says why it isn't offered."""

    name: str
    call: Callable[..., Any]
    bindings: list[dict[str, Any]] = field(default_factory=list)
    disabled: bool = False
    error: str | None = None

    @property
    def trigger(self) -> dict[str, Any]:
        """The binding that starts it: the one whose type ends in Trigger, wherever it stands."""
        return next(b for b in self.bindings if b["type"].endswith("Trigger"))

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """The bindings that carry something out; the one named $return takes what the function returns."""
        return [b for b in self.bindings if b.get("direction", "").upper() == "OUT"]

    @property
    def is_offered(self) -> bool:
        """Tell whether the host runs it."""
        return self.error is None and not self.disabled


def load_app(folder: Path) -> Any:
    """Import function_app.py of the folder and return its one app."""
    if not (folder / "function_app.py").is_file():
        raise AppLoadError(f"{folder / 'function_app.py'} is missing; --app names the folder of the function app")
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module("function_app")
    except Exception as error:
        raise AppLoadError(f"function_app.py can't be imported: {type(error).__name__}: {error}") from error
    if (own := Path(module.__file__ or "").resolve().parent) != folder.resolve():
        raise AppLoadError(
            f"function_app was imported from {own}, not from {folder}; another one lies first on the path"
        )
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len(apps) != 1:
        raise AppLoadError(f"function_app.py must hold exactly one FunctionApp at its top level; it holds {len(apps)}")
    _refuse_fastapi_types()
    return apps[0]


def index(app: Any, settings: Mapping[str, str]) -> list[Function]:
    """List the app's functions; what is wrong with one is its `error` and keeps no other from running."""
    # A second call of get_functions() raises "does not have a unique function name".
    functions = [_index_one(item, settings) for item in app.get_functions()]
    for function in functions:
        if function.error:
            log.error("function %s isn't offered: %s", function.name, function.error)
    return functions


def _index_one(item: Any, settings: Mapping[str, str]) -> Function:
    name, call = item.get_function_name(), item.get_user_function()
    raw = [json.loads(text) for text in item.get_raw_bindings()]
    try:
        bindings = [_resolved(binding, settings) for binding in raw]
        function = Function(name, call, bindings, is_disabled(name, settings))
        _check(function)
    except HostError as error:
        return Function(name, call, raw, error=str(error))
    return function


def _resolved(binding: dict[str, Any], settings: Mapping[str, str]) -> dict[str, Any]:
    return {key: resolve(value, settings) if isinstance(value, str) else value for key, value in binding.items()}


def _check(function: Function) -> None:
    """Refuse what this host can't do, and what the worker refuses."""
    for binding in function.bindings:
        if binding["type"] not in (*TRIGGERS, *OUTPUTS):
            raise IndexingError(f"the binding {binding['type']} of {function.name} isn't offered by the box's host")
    if sum(b["type"].endswith("Trigger") for b in function.bindings) != 1:
        raise IndexingError(f"{function.name} must have exactly one trigger")
    check_signature(function.name, function.call, function.bindings)


def _refuse_fastapi_types() -> None:
    """The streaming extension changes the types of every HTTP function; this host doesn't speak it, and says so."""
    base = sys.modules.get("azurefunctions.extensions.base")
    if base is not None and base.HttpV2FeatureChecker.http_v2_enabled():
        raise AppLoadError("the app imports azurefunctions.extensions.http.fastapi, which the box's host doesn't offer")
