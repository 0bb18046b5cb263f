"""Holds the templates against Microsoft's own types: `python -m infra.reference CLONE-OF-Azure/bicep-types-az`.

Those types are generated from azure-rest-api-specs, and the Bicep compiler checks by them. Looked at: that the type has
that API version, that every property exists and may be written, that nothing required is missing, and that a text where
only some are allowed is one of them (an expression is passed over: the parser shows names and texts alike).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from infra.subscriptions import wanted
from infra.templates import Resource, resources

REQUIRED, READ_ONLY = 1, 2
OURS = {"parent", "scope", "dependsOn"}


class Types:
    """The types of one clone, at its HEAD."""

    def __init__(self, clone: str) -> None:
        self.clone = clone
        self.commit = self._git("rev-parse", "HEAD").strip()
        self.files = self._git("ls-tree", "-r", "--name-only", "HEAD", "generated").splitlines()

    def _git(self, *words: str) -> str:
        command = ["git", "-C", self.clone, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    @lru_cache(maxsize=64)  # noqa: B019 - one object a run
    def load(self, path: str) -> list[dict[str, Any]]:
        """One file of types."""
        found: list[dict[str, Any]] = json.loads(self._git("show", f"HEAD:{path}"))
        return found

    def body(self, kind: str, version: str) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
        """The type of a resource's body, with the file that it refers into; None: there is none of that version."""
        wanted = f"{kind}@{version}".lower()
        ending = f"/{kind.split('/')[0].lower()}/{version.lower()}/types.json"
        for path in self.files:
            if not path.endswith(ending):
                continue
            types = self.load(path)
            for one in types:
                if one["$type"] == "ResourceType" and one["name"].lower() == wanted:
                    return types, _follow(types, one["body"])
        return None


def check(found: Resource, types: Types) -> Iterator[str]:
    """What Microsoft's types say against a resource."""
    where = f"{found.file}: {found.symbol} ({found.kind}@{found.version})"
    known = types.body(found.kind, found.version)
    if known is None:
        yield f"{where}: no such type or version"
    elif not found.existing:
        for said in _spelt_out(found):
            for problem in _held(said, known[1], known[0], ""):
                yield f"{where}: {problem}"


def _spelt_out(found: Resource) -> Iterator[dict[str, Any]]:
    """What a resource says; an event subscription once with each filter, which the template loads from a file."""
    said = {key: value for key, value in found.body.items() if key not in OURS}
    if not found.kind.endswith("/eventSubscriptions"):
        yield said
        return
    for one in (one for topic in wanted().values() for one in topic):
        yield {**said, "properties": {**said["properties"], "filter": one["filter"]}}


def _held(said: Any, kind: dict[str, Any], types: list[dict[str, Any]], place: str) -> Iterator[str]:
    name = kind["$type"]
    if name == "DiscriminatedObjectType" and isinstance(said, dict):
        chosen = kind["elements"].get(str(said.get(kind["discriminator"])))
        if chosen is None:
            if not _is_expression(said.get(kind["discriminator"])):
                yield f"{place}: {kind['discriminator']} {said.get(kind['discriminator'])!r} is none of {list(kind['elements'])}"
            return
        both = {**kind.get("baseProperties", {}), **_follow(types, chosen).get("properties", {})}
        yield from _object(said, {"properties": both}, types, place)
    elif name == "ObjectType" and isinstance(said, dict) and not _is_expression(said):
        yield from _object(said, kind, types, place)
    elif name == "ArrayType" and isinstance(said, list):
        for index, one in enumerate(said):
            yield from _held(one, _follow(types, kind["itemType"]), types, f"{place}[{index}]")
    elif name == "ArrayType" and isinstance(said, dict) and "loop_type" in said:
        yield from _held(said["config"], _follow(types, kind["itemType"]), types, f"{place}[]")
    elif name == "UnionType" and isinstance(said, str):
        allowed = [_follow(types, one) for one in kind["elements"]]
        texts = [one["value"] for one in allowed if one["$type"] == "StringLiteralType"]
        if said not in texts and said[:1].isupper() and len(texts) > 0:
            yield f"{place}: {said!r} is none of {texts}"
    elif name in ("StringType", "IntegerType", "BooleanType") and isinstance(said, (bool, int)):
        wanted = {"StringType": str, "IntegerType": int, "BooleanType": bool}[name]
        if type(said) is not wanted:
            yield f"{place}: {said!r} is no {name.removesuffix('Type').lower()}"


def _object(said: dict[str, Any], kind: dict[str, Any], types: list[dict[str, Any]], place: str) -> Iterator[str]:
    known: dict[str, Any] = kind.get("properties", {})
    rest = kind.get("additionalProperties")
    for key, value in said.items():
        entry = known.get(key)
        if entry is None:
            if rest is None:
                yield f"{place}.{key}: there is no such property"
            else:
                yield from _held(value, _follow(types, rest), types, f"{place}.{key}")
        elif entry.get("flags", 0) & READ_ONLY:
            yield f"{place}.{key}: may not be written"
        else:
            yield from _held(value, _follow(types, entry["type"]), types, f"{place}.{key}")
    for key, entry in known.items():
        if entry.get("flags", 0) & REQUIRED and not entry.get("flags", 0) & READ_ONLY and key not in said:
            yield f"{place}.{key}: is required"


def _follow(types: list[dict[str, Any]], reference: dict[str, str]) -> dict[str, Any]:
    return types[int(reference["$ref"].rsplit("/", 1)[-1])]


def _is_expression(said: Any) -> bool:
    return isinstance(said, dict) and bool(set(said) & {"function", "operator"})


def main() -> int:
    """Say what was held against what, and what is wrong; 1 where something is."""
    types = Types(sys.argv[1])
    print(f"bicep-types-az at {types.commit}")
    wrong = 0
    for found in resources():
        problems = list(check(found, types))
        wrong += len(problems)
        print("\n".join(problems) or f"ok {found.file}: {found.symbol} {found.kind}@{found.version}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
