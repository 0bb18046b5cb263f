"""Loads what a deployment serves: an MLflow folder, or a scoring script with `init()` and `run()`.

Facts: the MLflow pyfunc contract (MLmodel, flavors.python_function), azureml-inference-server-http's script contract.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

# Takes the request's raw body, gives the answer's.
Score = Callable[[bytes], bytes]


class BadInputError(ValueError):
    """The request's body is not what the model takes; the caller's fault."""


class LoadError(Exception):
    """The folder cannot be served; says what is missing."""


def mlflow_score(folder: Path) -> Score:
    """Load an MLflow folder through its python_function flavor."""
    document = _described(folder)
    flavor, columns = _flavor(folder, document), _columns(document)
    sys.path.insert(0, str(folder / str(flavor.get("code", "."))))
    module = importlib.import_module(str(flavor["loader_module"]))
    data = folder / str(flavor["data"]) if flavor.get("data") else folder
    model = module._load_pyfunc(str(data))

    def score(raw: bytes) -> bytes:
        doc = _parse(raw)
        if not isinstance(doc, dict) or "input_data" not in doc:
            raise BadInputError('The request must be a JSON object with the key "input_data".')
        return _dump(model.predict(model_input(doc["input_data"], columns), params=doc.get("params") or {}))

    return score


def script_score(code: Path, script: str) -> Score:
    """Load a scoring script: `init()` once, `run(text)` for every request."""
    path = code / script
    if not path.is_file():
        raise LoadError(f"The scoring script {script!r} is not in the code folder {code}.")
    sys.path[:0] = [str(path.parent), str(code)]
    module = _module(path)
    for name in ("init", "run"):
        if not callable(getattr(module, name, None)):
            raise LoadError(f"The scoring script {script!r} has no function {name}().")
    module.init()

    def score(raw: bytes) -> bytes:
        _parse(raw)
        return _dump(module.run(raw.decode()))

    return score


def model_input(given: Any, columns: list[str]) -> Any:
    """What a model gets of `input_data`: a table where it comes split into columns and rows, or has a signature of columns.

    Source: learn.microsoft.com/azure/machine-learning/how-to-deploy-mlflow-models, "Payload in MLflow built-in server".

    Raises:
        BadInputError: rows and columns do not fit.
    """
    split = isinstance(given, dict) and {"columns", "data"} <= set(given) <= {"columns", "data", "index"}
    if not split and not (columns and isinstance(given, list)):
        return given
    import pandas

    table = given if split else {"columns": columns, "data": given}
    try:
        return pandas.DataFrame(table["data"], index=table.get("index"), columns=table["columns"])
    except (TypeError, ValueError) as error:
        raise BadInputError(f"input_data is no table: {error}") from None


def _columns(document: dict[str, Any]) -> list[str]:
    """The names in the model's signature, where that is of columns."""
    try:
        inputs = json.loads((document.get("signature") or {}).get("inputs") or "[]")
        return [str(one["name"]) for one in inputs]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []  # tensors have no names


def _described(folder: Path) -> dict[str, Any]:
    import yaml

    try:
        return dict(yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise LoadError(f"{folder} is no MLflow model: it has no file MLmodel.") from None
    except (TypeError, ValueError, yaml.YAMLError) as error:
        raise LoadError(f"{folder / 'MLmodel'} is no description of a model: {error!r}") from None


def _flavor(folder: Path, document: dict[str, Any]) -> dict[str, Any]:
    try:
        flavor = dict(document["flavors"]["python_function"])
    except (KeyError, TypeError, ValueError) as error:
        raise LoadError(f"{folder / 'MLmodel'} has no flavors.python_function: {error!r}") from None
    if "loader_module" not in flavor:
        raise LoadError(f"{folder / 'MLmodel'}: flavors.python_function has no loader_module.")
    return flavor


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("entry_script", path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{path} cannot be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["entry_script"] = module
    spec.loader.exec_module(module)
    return module


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise BadInputError(f"The request body is not JSON: {error}") from None


def _dump(answer: Any) -> bytes:
    if isinstance(answer, bytes):
        return answer
    to_dict = getattr(answer, "to_dict", None)  # a DataFrame is answered as records
    if to_dict is not None:
        answer = to_dict(orient="records")
    elif hasattr(answer, "tolist"):
        answer = answer.tolist()
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
