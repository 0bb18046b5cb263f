"""The report beside the upload: JSON for programs, one self-contained HTML page for people."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from shared.azure.blobs import Container
from shared.errors import NotFoundError

SHOWN_FINDINGS = 100


def publish(path: str, document: dict[str, Any]) -> None:
    """Writes `<file>.report.json` and `<file>.report.html` beside an upload, and its tag `droptune-state`."""
    datasets = Container("datasets")
    plain = msgspec.json.format(msgspec.json.encode(document), indent=1)
    datasets.write(f"{path}.report.json", plain, content_type="application/json")
    datasets.write(f"{path}.report.html", render(document).encode(), content_type="text/html; charset=utf-8")
    datasets.tag(path, {"droptune-state": str(document["state"])})


def update(path: str, **changes: Any) -> None:
    """Changes a report that was published before, or begins one."""
    try:
        document = msgspec.json.decode(Container("datasets").read(f"{path}.report.json")[0])
    except NotFoundError:
        document = {"file": path}
    publish(path, {**document, **changes})


def render(document: dict[str, Any]) -> str:
    """The page of a report; everything that it shows is escaped."""
    return str(_template().render(report=document, bars=bars, shown=SHOWN_FINDINGS))


def bars(histogram: list[dict[str, int]]) -> list[dict[str, float | int]]:
    """A histogram's bars in a drawing of 240 by 60."""
    if not histogram:
        return []
    top, width = max(entry["rows"] for entry in histogram) or 1, 240 / len(histogram)
    return [
        {"x": index * width, "width": max(1.0, width - 2), "height": 56 * entry["rows"] / top, **entry}
        for index, entry in enumerate(histogram)
    ]


@lru_cache(maxsize=1)
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader

    folder = Path(__file__).parent
    return Environment(loader=FileSystemLoader(folder), autoescape=True).get_template("report.html.j2")
