"""The page's first words: what became of the file, and what to do first."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shared.reports.document import Finding, Kind, Report
from shared.reports.numbers import many


class Word(NamedTuple):
    """How a state looks (`good`, `bad`, `calm`), its sign, and what it is called."""

    tone: str
    sign: str
    called: str


STATES = {
    "accepted": Word("good", "✓", "Accepted"),
    "rejected": Word("bad", "✕", "Rejected"),
    "duplicate": Word("calm", "=", "Known already"),
    "withdrawn": Word("calm", "–", "Withdrawn"),
    "live": Word("good", "✓", "Live"),
    "refused": Word("bad", "✕", "Refused"),
    "failed": Word("bad", "✕", "Failed"),
    "gated_out": Word("bad", "✕", "Not good enough"),
    "rolled_back": Word("bad", "✕", "Rolled back"),
    "cancelled": Word("calm", "–", "Cancelled"),
    "superseded": Word("calm", "–", "Superseded"),
}


def word(report: Report) -> Word:
    """The word for a report's state; a state that is not known is told as it is."""
    return STATES.get(report.state, Word("calm", "·", report.state))


def kinds(report: Report) -> list[Kind]:
    """The kinds of findings, errors first, the most frequent first; counted from the list where nobody counted."""
    found = report.kinds or _counted(report.findings)
    return sorted(found, key=lambda kind: (kind.severity != "error", -kind.count, kind.code))


def _counted(findings: list[Finding]) -> list[Kind]:
    made: dict[str, Kind] = {}
    for finding in findings:
        known = made.get(finding.code)
        what = known.what if known else finding.message
        made[finding.code] = Kind(
            code=finding.code, severity=finding.severity, count=known.count + 1 if known else 1, what=what
        )
    return list(made.values())


def groups(report: Report, most: int) -> list[tuple[Kind, list[Finding]]]:
    """The first findings, by kind: what is listed of each."""
    listed = report.findings[:most]
    known = kinds(report)
    missing = _counted([finding for finding in listed if finding.code not in {kind.code for kind in known}])
    found = [(kind, [finding for finding in listed if finding.code == kind.code]) for kind in [*known, *missing]]
    return [(kind, places) for kind, places in found if places]


def tally(report: Report, severity: str) -> int:
    """How many errors the file has, or how many kinds of warnings: these are told once, however often they come up."""
    return sum(kind.count if severity == "error" else 1 for kind in kinds(report) if kind.severity == severity)


def first(report: Report) -> Finding | None:
    """The finding to look at first: an error, where the file was rejected."""
    if report.state != "rejected":
        return None
    return next((finding for finding in report.findings if finding.severity == "error"), None)


def headline(report: Report) -> str:
    """One sentence for the state."""
    errors, warnings = tally(report, "error"), tally(report, "warning")
    if report.state == "rejected":
        return f"{many(errors, 'place')} must be mended before this file can train." if errors else ""
    if report.state == "accepted":
        rows = report.counts.get("train", report.rows)
        noted = f", with {many(warnings, 'warning')}" if warnings else ", nothing to mend"
        return f"{many(rows, 'row')} to train on{noted}."
    return ""


def advice(report: Report) -> tuple[str, str]:
    """The reason and its mend: the report's own, else the first error's."""
    found = first(report)
    if report.reason or found is None:
        return report.reason, report.fix
    return found.message, found.fix


def when(at: str) -> str:
    """A moment without its T and its milliseconds; what is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return at
