"""The Bicep files as data, by pycep-parser; for the tests and for holding them against Microsoft's types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Resource:
    """One resource of a template; `body` is what stands between its braces, of one turn where it is a loop."""

    file: str
    symbol: str
    kind: str
    version: str
    existing: bool
    body: dict[str, Any]


def files() -> list[Path]:
    """All templates."""
    return [HERE / "main.bicep", HERE / "events.bicep", *sorted((HERE / "modules").glob("*.bicep"))]


@lru_cache(maxsize=64)
def read(path: Path) -> dict[str, Any]:
    """A template, parsed."""
    import pycep

    found: dict[str, Any] = dict(pycep.BicepParser().parse(text=path.read_text(encoding="utf-8")))
    return found


def body(config: Any) -> dict[str, Any]:
    """What a resource or module says, without the condition or the loop around it."""
    while isinstance(config, dict) and "config" in config and set(config) <= {"config", "condition", "loop_type"}:
        config = config["config"]
    return dict(_bare(config))


def _bare(said: Any) -> Any:
    """The same with the names of properties as they are meant: the parser keeps the quotes of those that have some."""
    if isinstance(said, dict):
        return {str(key).strip("'"): _bare(value) for key, value in said.items()}
    return [_bare(one) for one in said] if isinstance(said, list) else said


def resources() -> Iterator[Resource]:
    """Every resource of every template."""
    for path in files():
        for symbol, found in read(path).get("resources", {}).items():
            kind, version = found["type"], found["api_version"]
            yield Resource(path.name, symbol, kind, version, bool(found["existing"]), body(found["config"]))


def modules(path: Path) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Name, file and parameters of each module that a template uses."""
    for name, found in read(path).get("modules", {}).items():
        yield name, (path.parent / found["detail"]["path"]).resolve(), dict(body(found["config"]).get("params", {}))


def value(path: Path, variable: str) -> Any:
    """What a variable of a template is set to."""
    return read(path)["variables"][variable]["value"]
