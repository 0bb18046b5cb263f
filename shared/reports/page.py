"""Draws the page of a report: one HTML file without scripts, that asks nothing of the network."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from shared.reports import answers, charts, numbers, tables, verdict
from shared.reports.document import Report, read

SHOWN_FINDINGS = 100
OPEN_PLACES = 4


class Section(NamedTuple):
    """A part of the page: its template's name is its anchor, too."""

    key: str
    title: str
    wanted: Callable[[Report], Any]


SECTIONS = (
    Section("findings", "What was found", lambda report: report.findings),
    Section("run", "The run", lambda report: report.timeline or (report.metrics and report.metrics.curves)),
    Section("evaluation", "How it answers", lambda report: report.evaluation),
    Section("estimate", "Cost and time, estimated", lambda report: report.estimate),
    Section("contents", "What is in it", lambda report: (report.profile and report.profile.rows) or report.counts),
    Section("personal", "Personal data and secrets", lambda report: report.profile and report.profile.pii),
    Section("sample", "Sample rows", lambda report: report.sample or (report.profile and report.profile.sample)),
)


def draw(document: object) -> str:
    """The page of a report's document; whatever stands in it, nothing of it runs."""
    report = read(document)
    sections = [section for section in SECTIONS if section.wanted(report)]
    return str(_environment().get_template("page.html.j2").render(report=report, sections=sections))


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from shared.reports import text

    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        finalize=_safe,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        {name: getattr(numbers, name) for name in ("count", "short", "percent", "usd", "hours")},
        text=text.shown,
        ending=text.ending,
        beginning=text.beginning,
    )
    made.globals.update(
        answers=answers,
        charts=charts,
        numbers=numbers,
        tables=tables,
        verdict=verdict,
        many=numbers.many,
        shown_findings=SHOWN_FINDINGS,
        open_places=OPEN_PLACES,
    )
    return made


def _safe(value: object) -> object:
    """What a template writes without a filter is taken for hostile and shown as plain words."""
    from markupsafe import Markup

    from shared.reports.text import plain

    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
