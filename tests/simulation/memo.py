"""The check of a dataset, made once for the same bytes: in the random phase alone, whose seeds drop the same few files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.datasets import check as real
from shared.datasets.sources import Bytes, Source

_check = real.check
_known: dict[Any, tuple[Any, list[tuple[str, str, bytes]]]] = {}


class _Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, bytes]] = []

    def begin(self) -> _Kept:
        """A pass begins anew."""
        self.calls = []
        return self

    def write(self, side: str, row: bytes) -> None:
        """Keeps a row."""
        self.calls.append(("write", side, bytes(row)))

    def head(self, side: str, row: bytes) -> None:
        """Keeps a head."""
        self.calls.append(("head", side, bytes(row)))


def check_once(
    files: Mapping[str, Source],
    config: Any = None,
    config_findings: Any = None,
    *,
    terms: Any = None,
    sink: Callable[[], Any] | None = None,
) -> Any:
    """Reads every file as the real check does, from outside; its verdict and its rows are those of the first time."""
    bodies = {role: _whole(source) for role, source in files.items()}
    told = (repr(config), repr(config_findings), repr(terms))
    key = (tuple(sorted((role, files[role].name, data) for role, data in bodies.items())), *told)
    if key not in _known:
        kept = _Kept()
        given = {role: Bytes(data, files[role].name) for role, data in bodies.items()}
        verdict = _check(given, config, config_findings, terms=terms, sink=kept.begin)
        _known[key] = (verdict, kept.calls)
    verdict, calls = _known[key]
    if sink is not None:
        into = sink()
        for verb, side, row in calls:
            getattr(into, verb)(side, row)
    return verdict


def _whole(source: Source) -> bytes:
    opened, buffer, found = source.open(), bytearray(65536), bytearray()
    while got := opened.readinto(memoryview(buffer)) or 0:
        found += buffer[:got]
    return bytes(found)


_snapshots: dict[Any, tuple[bool, Any]] = {}


def no_config() -> tuple[Any, list[Any]]:
    """What holds where no `droptune.toml` lies beside a dataset."""
    from shared.datasets.config import Config

    return Config(), []


def snapshot_of(files: Mapping[str, bytes], config: Any, findings: list[Any]) -> tuple[bool, Any]:
    """Whether the rules accept a dataset, and a hash of each side that must then be trained on."""
    key = (tuple(sorted(files.items())), repr(config), bool(findings))
    if key not in _snapshots:
        kept = _Kept()
        given = {role: Bytes(data, f"{role}.jsonl") for role, data in files.items()}
        verdict = _check(given, config, findings, sink=None if findings else kept.begin)
        _snapshots[key] = (verdict.accepted, _sides(kept.calls))
    return _snapshots[key]


def _sides(calls: list[tuple[str, str, bytes]]) -> Any:
    heads = {side: row + b"\n" for verb, side, row in calls if verb == "head"}
    bodies = {side: bytearray(heads.get(side, b"")) for side in ("train", "validation", "test")}
    for verb, side, row in calls:
        if verb == "write":
            bodies[side] += row + b"\n"
    return tuple(sorted((side, hash(bytes(data))) for side, data in bodies.items()))
