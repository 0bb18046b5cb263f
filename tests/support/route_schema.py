"""The emulator's routes as an OpenAPI document, made from its route table and the sample bodies."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from route_samples import BODIES, NAME
from starlette.routing import Route

from azureml_box import app, versions
from azureml_box.alone.emulator import NAME as BOX
from azureml_box.alone.emulator import SUBSCRIPTION
from azureml_box.config import Config

REGISTRY = "samples"
NAMED = {"version": "1", "registry": REGISTRY, "kind": "codes", "location": "eastus", "experiment": "samples"}
NAMED |= {"insights": "Microsoft.Insights"}
HOSTILE = ("Ünïcødé 模型", "a b", "..", "x" * 300, "-", "0", "%00", "a|b", "a'\"b;--", "azureml_default", "null")
# What clients ask with; any text may stand there.
_QUERY = ("$skip", "$top", "$skiptoken", "$orderBy", "listViewType", "isDefault", "count", "hash", "stage", "tags")
_QUERY += ("properties", "jobType", "tag", "scheduled", "timespan", "interval", "metricnames", "aggregation", "$filter")
_QUERY += (
    "run_id",
    "metric_key",
    "experiment_id",
    "experiment_name",
    "max_results",
    "page_token",
    "resource",
    "after",
    "limit",
)


@dataclass(frozen=True)
class Call:
    """One verb of one route: as the emulator spells it, and as the samples do."""

    verb: str
    path: str
    short: str

    def filled(self) -> str:
        """Its path with the names of the samples."""
        return re.sub(r"\{(\w+)\}", lambda match: NAMED.get(match[1], NAME), self.path)


def calls() -> list[Call]:
    """Every verb of every route but of the last one, which refuses what no other takes."""
    with tempfile.TemporaryDirectory() as home:
        nowhere = "https://127.0.0.1:1"
        ids = {"subscription": SUBSCRIPTION, "resource_group": BOX, "workspace": BOX}
        ids |= {
            "workspace_id": "w",
            "location": "eastus",
            "tenant": "t",
            "storage_url": nowhere,
            "storage_account": "a",
        }
        secret: dict[str, Any] = {"storage_key": "", "storage_suffix": "", "identity_header": "h"}
        secret["signing_key"] = Path(home, "key")
        secret["signing_key"].touch()
        config = Config(home=Path(home), base_url=nowhere, port=1, registries={}, **ids, **secret)
        box = app.make_box(config)
        routes = [route for route in app.routes(box)[:-1] if isinstance(route, Route)]
        box.store.close()
    found = [(verb, route.path) for route in routes for verb in sorted((route.methods or {"GET"}) - {"HEAD"})]
    plain = [(verb, path.replace(":path}", "}")) for verb, path in dict.fromkeys(found)]
    return [Call(verb, path, _short(path, config)) for verb, path in plain]


def _short(path: str, config: Config) -> str:
    path = path.replace(config.workspace_scope, "{WS}")
    return re.sub(r"^.*/registries/\{\w+\}(?!/discovery)", "{REG}", path)


def newest(call: Call) -> str | None:
    """The newest api-version that a call may have; None where it has none."""
    return max(versions._TABLE.get(versions.kind_of(call.filled()) or "", {""})) or None


def document(known: list[Call]) -> dict[str, Any]:
    """OpenAPI 3.0.3: paths with their parameters, and bodies of the samples' shape in which every property may lack."""
    paths: dict[str, dict[str, Any]] = {}
    for call in known:
        operation: dict[str, Any] = {"responses": {"default": {"description": "any"}}, "parameters": _parameters(call)}
        shapes = [
            shape(sent)
            for (verb, short), sent in BODIES.items()
            if (verb, short.split("#")[0]) == (call.verb, call.short)
        ]
        if shapes or call.verb in ("PUT", "POST", "PATCH"):
            content = {"application/json": {"schema": {"anyOf": shapes} if shapes else {"type": "object"}}}
            operation["requestBody"] = {"content": content}
        paths.setdefault(call.path, {})[call.verb.lower()] = operation
    return {"openapi": "3.0.3", "info": {"title": "routes", "version": "1"}, "paths": paths}


def _parameters(call: Call) -> list[dict[str, Any]]:
    given = [_parameter("query", name, {"type": "string"}) for name in _QUERY]
    if version := newest(call):
        given.append(_parameter("query", "api-version", {"type": "string", "enum": [version]}) | {"required": True})
    for name in re.findall(r"\{(\w+)\}", call.path):
        names = [NAMED.get(name, NAME), *HOSTILE]
        given.append(_parameter("path", name, {"type": "string", "enum": names}) | {"required": True})
    return given


def _parameter(place: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": place, "name": name, "schema": schema}


def shape(value: Any) -> dict[str, Any]:
    """A JSON schema of a value's types."""
    if isinstance(value, dict):
        return {"type": "object", "properties": {key: shape(one) for key, one in value.items()}}
    if isinstance(value, list):
        return {"type": "array", "items": shape(value[0]) if value else {}, "maxItems": 3}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    kind = kinds[type(value)]
    return {"type": kind, "enum": [value]} if kind == "string" else {"type": kind}
