"""The emulator's operations by its routes, and the SDK's by its request builders, in one spelling."""

from __future__ import annotations

import importlib.util
import inspect
import logging
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SDK_OPERATIONS = "_restclient/arm_ml_service/operations/_operations.py"
_BUILDER = re.compile(
    r'^def build_(\w+)_request\(.*?\n    _url = \(?\s*"([^)]*?)"(?:\s*\)|\s*#[^\n]*)?\n.*?method="(\w+)"', re.S | re.M
)
_SHORT = (
    (re.compile(r"/subscriptions/.*?/workspaces/(?:docs|\{workspaceName\})"), "{WS}"),
    (re.compile(r"^.*/subscriptions/.*/registries/\{\w+\}"), "{REG}"),
    (re.compile(r"^.*/providers/Microsoft\.MachineLearningServices(?=/locations/)"), "{SUB}"),
    (re.compile(r"^.*/resourceGroups/.*/workspaces$"), "{RG}/workspaces"),
)
_NAMES = ("{WS}", "{REG}", "{SUB}", "{RG}")


@dataclass(frozen=True)
class Operation:
    """One verb on one path."""

    verb: str
    path: str
    words: str = ""

    def answers(self, other: Operation) -> bool:
        """Tell whether this route takes what another operation names."""
        pattern = "".join(
            "[^/]+" if part.startswith("{") and part not in _NAMES else re.escape(part)
            for part in re.split(r"(\{[^}]*\})", self.path)
        )
        return self.verb == other.verb and re.fullmatch(pattern, other.path) is not None


def own() -> list[Operation]:
    """The emulator's routes, in its own order, without the one that refuses the rest."""
    logging.disable(logging.WARNING)  # that tokens are not verified does not matter here
    from starlette.routing import Route

    from azureml_box import app
    from azureml_box.config import Config

    with tempfile.TemporaryDirectory() as home:
        place, nowhere = Path(home), "https://127.0.0.1:1"
        key = place / "key"
        key.touch()
        ids = dict.fromkeys(
            ("subscription", "resource_group", "workspace", "workspace_id", "location", "tenant"), "docs"
        )
        storage = {"storage_url": nowhere, "storage_account": "docs", "storage_key": "", "storage_suffix": ""}
        secret = {"identity_header": "docs", "signing_key": key}
        config = Config(home=place, base_url=nowhere, port=1, registries={}, **ids, **storage, **secret)  # type: ignore[arg-type]
        box = app.make_box(config)
        routes = [route for route in app.routes(box) if isinstance(route, Route)]
        box.store.close()
    logging.disable(logging.NOTSET)
    found = [
        Operation(verb, _short(route.path), _words(route.endpoint))
        for route in routes[:-1]
        for verb in sorted((route.methods or {"GET"}) - {"HEAD"})
    ]
    return list(dict.fromkeys(found))


def _words(endpoint: object) -> str:
    told = inspect.getdoc(endpoint) or ""
    first = told.splitlines()[0] if told else ""
    return re.sub(r"^(GET|PUT|POST|PATCH|DELETE) \S+[:,]?\s*", "", first).rstrip(".")


def _short(path: str) -> str:
    path = re.sub(r":path\}", "}", path)
    for pattern, name in _SHORT:
        path = pattern.sub(name, path)
    return path


def sdk() -> list[Operation]:
    """Every operation that the pinned azure-ai-ml has a builder for, whether its commands use it or not."""
    spec = importlib.util.find_spec("azure.ai.ml")
    assert spec is not None
    assert spec.origin is not None
    source = (Path(spec.origin).parent / _SDK_OPERATIONS).read_text(encoding="utf-8")
    return [Operation(verb, _short(path), name) for name, path, verb in _BUILDER.findall(source)]
