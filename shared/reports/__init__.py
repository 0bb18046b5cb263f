"""The report beside the upload: JSON for programs, one self-contained HTML page for people."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from shared.azure.blobs import Container
from shared.errors import NotFoundError
from shared.reports import tables
from shared.reports.document import read
from shared.reports.page import draw


def publish(path: str, document: dict[str, Any]) -> None:
    """Writes `<file>.report.json` and `<file>.report.html` beside an upload, and its tag `droptune-state`."""
    datasets, whole = Container("datasets"), with_table(document)
    datasets.write(f"{path}.report.json", encode(whole), content_type="application/json")
    datasets.write(f"{path}.report.html", render(whole).encode(), content_type="text/html; charset=utf-8")
    datasets.tag(path, {"droptune-state": str(document["state"])})


def update(path: str, **changes: Any) -> None:
    """Changes a report that was published before, or begins one; what somebody wrote over it is not trusted."""
    publish(path, {"file": path, **beside(path), **changes})


def beside(path: str) -> dict[str, Any]:
    """The report that lies beside an upload; empty where there is none, or where it is read twice and is none."""
    try:
        found = (decode(Container("datasets").read(f"{path}.report.json")[0]) for _ in range(2))
        return next((whole for whole in found if whole), {})
    except NotFoundError:
        return {}


def render(document: dict[str, Any]) -> str:
    """The page of a report; everything that it shows is escaped."""
    return draw(document)


def decode(written: bytes) -> dict[str, Any]:
    """A report that was published before; empty where somebody wrote something else over it."""
    try:
        found = msgspec.json.decode(written)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def encode(document: dict[str, Any]) -> bytes:
    """The document as JSON that people can read, whatever strings it has."""
    try:
        plain = msgspec.json.encode(document)
    except UnicodeEncodeError:  # a lone surrogate, as JSON's escapes can write one and no encoding can
        plain = json.dumps(document, ensure_ascii=False).encode(errors="replace")
    return msgspec.json.format(plain, indent=1)


def with_table(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its table of figures, where it has a profile and no table yet."""
    profile = read(document).profile
    if "table" in document or profile is None or not profile.rows:
        return document
    return {**document, "table": tables.table(profile)}
