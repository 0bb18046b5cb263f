"""Writes arm.json: which fields, enumerations and query parameters Azure's operations have, out of the SDK's own sources.

    python -m azureml_box.contract.generate DIR…

Each DIR is a `azure/ai/ml/_restclient`: that of the pinned azure-ai-ml, which has one client for all api-versions, and that of
1.28.1 (unpacked from its wheel), the last that has a client for each. Their union is taken: the newest SDK labels its bodies
with api-versions that are older than their fields. Sources are parsed, not imported.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azureml_box.contract.roots import BESIDES, ROOTS

OUT = Path(__file__).with_name("arm.json")
# Kinds of bodies that are refused as a whole, or checked elsewhere (azureml_box.jobs.bodies).
_OPAQUE = {
    "JobBase",
    "JobBaseProperties",
    "JobBaseDetails",
    "CreateMonitorAction",
    "ImportDataAction",
    "EndpointScheduleAction",
}
_PATH = re.compile(r'"(/[^"]*subscriptions/\{[^"]*)"')
_PARAMETER = re.compile(r'_(?:query_parameters|params)\[[\'"]([^\'"]+)[\'"]\] =')
_TAIL = re.compile(r"/(?:workspaces|registries|locations)/\{\w+\}/?(.*)$")


def read_models(source: str, types: dict[str, Any]) -> None:
    """Add every model of a module: wire name -> what it is, and by which field subtypes are told."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            own = types.setdefault(node.name, {"fields": {}, "by": {}, "bases": []})
            own["bases"] += [
                base.id for base in node.bases if isinstance(base, ast.Name) and base.id not in own["bases"]
            ]
            for part in node.body:
                _read_part(part, own)
            for keyword in node.keywords:
                if keyword.arg == "discriminator":
                    own["value"] = ast.literal_eval(keyword.value)


def _read_part(part: ast.stmt, own: dict[str, Any]) -> None:
    if isinstance(part, ast.AnnAssign) and isinstance(part.value, ast.Call) and isinstance(part.target, ast.Name):
        called = getattr(part.value.func, "id", "")
        if called in ("rest_field", "rest_discriminator"):
            named = [ast.literal_eval(one.value) for one in part.value.keywords if one.arg == "name"]
            wire = named[0] if named else part.target.id
            own["fields"].setdefault(wire, _spec(ast.unparse(part.annotation)))
            if called == "rest_discriminator":
                own["told by"] = wire
    if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == "_attribute_map":
        for name, entry in ast.literal_eval(part.value).items():
            if "." not in entry["key"]:  # flattened by old clients; the newest model has the nested one
                own["fields"].setdefault(entry["key"], entry["type"])
            own.setdefault("attributes", {})[name] = entry["key"]
    if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == "_subtype_map":
        for name, subtypes in ast.literal_eval(part.value).items():
            own["told by"] = own["attributes"][name]
            own["by"].update(subtypes)


def _spec(annotation: str) -> str:
    """`[T]`, `{T}` or `T` for a model or an enumeration; empty where anything goes."""
    names = re.findall(r"_models\.(\w+)", annotation)
    if len(names) != 1:
        return ""
    if re.search(r"\blist\[|\bList\[", annotation):
        return f"[{names[0]}]"
    return f"{{{names[0]}}}" if re.search(r"\bdict\[|\bDict\[", annotation) else names[0]


def read_enums(source: str, enums: dict[str, list[str]]) -> None:
    """Add every enumeration's values."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
            assigned = (one.value for one in node.body if isinstance(one, ast.Assign))
            for value in (one.value for one in assigned if isinstance(one, ast.Constant)):
                if isinstance(value, str) and value not in enums.setdefault(node.name, []):
                    enums[node.name].append(value)


def read_queries(source: str, queries: dict[str, list[str]]) -> None:
    """Add the query parameters of every operation, by verb and path below workspace, registry or location."""
    for text in re.split(r"(?m)^def build_", source)[1:]:
        path, verb = _PATH.search(text), re.search(r'method="(\w+)"', text)
        tail = path and _TAIL.search(path[1])
        if tail and verb:
            known = queries.setdefault(f"{verb[1]} {re.sub(r'{[^}]*}', '*', tail[1])}".strip(), [])
            known += [name for name in _PARAMETER.findall(text) if name not in (*known, "api-version")]


def _inherited(types: dict[str, Any], name: str) -> tuple[dict[str, str], str]:
    """The fields of a model with those of its bases, and by which one subtypes are told."""
    own = types[name]
    found, told = dict(own["fields"]), own.get("told by", "")
    for base in own["bases"]:
        if base in types:
            more, by = _inherited(types, base)
            # Old clients repeat inherited fields, with plain types where the newest has enumerations.
            better = {wire: spec for wire, spec in more.items() if wire not in found or _is_named(spec)}
            found, told = {**found, **better}, told or by
    return found, told


def _is_named(spec: str) -> bool:
    return spec.strip("[]{}")[:1].isupper()


def table(types: dict[str, Any], enums: dict[str, list[str]]) -> dict[str, Any]:
    """What can be reached from the roots."""
    for name, own in types.items():
        if "value" in own:
            for base in own["bases"]:
                types.get(base, {"by": {}})["by"][own["value"]] = name
    kept: dict[str, Any] = {}
    used: dict[str, list[str]] = {}
    waiting = [name for name in ROOTS.values() if name]
    while waiting:
        name = waiting.pop()
        if name in kept or name in _OPAQUE:
            continue
        fields, told = _inherited(types, name)
        entry: dict[str, Any] = {}
        for wire, spec in sorted(fields.items()):
            inner = spec.strip("[]{}")
            known = (inner in types and inner not in _OPAQUE) or inner in enums
            entry[wire] = spec if known else ""
            if inner in enums:
                used[inner] = enums[inner]
            elif known:
                waiting.append(inner)
        kept[name] = {"fields": entry | dict.fromkeys(BESIDES.get(name, ()), "")}
        if told and types[name]["by"]:
            kept[name] |= {"told by": told, "by": types[name]["by"]}
            waiting += types[name]["by"].values()
    return {"types": dict(sorted(kept.items())), "enums": dict(sorted(used.items()))}


def _modules(folders: list[Path], pattern: str) -> Iterator[str]:
    for folder in folders:
        for path in sorted(folder.rglob(pattern), reverse=True):
            if re.search(r"arm_ml_service|/v202[2-9]", str(path)) and "/aio/" not in str(path):
                yield path.read_text(encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Write the table; later folders add to earlier ones."""
    folders = [Path(argument) for argument in arguments]
    types: dict[str, Any] = {}
    enums: dict[str, list[str]] = {}
    queries: dict[str, list[str]] = {}
    for pattern in ("models/_models.py", "models/_models_py3.py"):
        for source in _modules(folders, pattern):
            read_models(source, types)
    for source in _modules(folders, "*_enums.py"):
        read_enums(source, enums)
    for source in _modules(folders, "operations/*operations.py"):
        read_queries(source, queries)
    made = {**table(types, enums), "queries": dict(sorted(queries.items()))}
    parts = (
        f'"{name}": {{\n'
        + ",\n".join(f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in part.items())
        + "\n}"
        for name, part in made.items()
    )
    OUT.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
