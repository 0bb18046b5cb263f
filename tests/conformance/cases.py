"""Which cases there are: `cases.txt` (group and node id), and those whose failure `known.toml` explains."""

from __future__ import annotations

import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent


def read(group: str) -> list[str]:
    """Node ids of one group, or of `all`."""
    return [node for named, node in _lines() if group in (named, "all")]


def group_of() -> dict[str, str]:
    """The group of each case."""
    return {node: group for group, node in _lines()}


def known() -> dict[str, str]:
    """Cases that cannot pass, each with its reason in Azure's own terms."""
    return dict(tomllib.loads((HERE / "known.toml").read_text(encoding="utf-8")))


def _lines() -> list[tuple[str, str]]:
    lines = (HERE / "cases.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(None, 1) for line in lines if line.strip() and not line.startswith("#")]
    return [(group, node.strip()) for group, node in pairs]
