"""What the checker has to say: one finding a place, every one of them counted."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

LISTED = 100


class Excerpt(msgspec.Struct, frozen=True):
    """A piece of the line around the place: what stands before it, the place itself, what stands after it."""

    before: str
    marked: str
    after: str


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong or was mended; `line` counts from 1 and is None for the file as a whole."""

    code: str
    severity: str
    message: str
    fix: str
    line: int | None = None
    field: str | None = None
    file: str | None = None
    excerpt: Excerpt | None = None


class Findings:
    """Counts all findings and lists the first hundred, the first of each kind always among them."""

    def __init__(self) -> None:
        self.total = 0
        self.errors = 0
        self.kinds: dict[str, int] = {}
        self._listed: list[Finding] = []

    def wants(self, code: str) -> bool:
        """Whether a finding of this kind would be listed: only then its excerpt is worth the work."""
        return len(self._listed) < LISTED or code not in self.kinds

    def add(self, finding: Finding, places: int = 1) -> None:
        """Counts a finding (of so many places) and keeps it where there is room or it is the first of its kind."""
        if self.wants(finding.code):
            self._listed.append(finding)
        self.total += 1
        self.errors += finding.severity == "error"
        self.kinds[finding.code] = self.kinds.get(finding.code, 0) + places

    def name(self, file: str) -> None:
        """Says which file of the folder they are about."""
        self._listed = [msgspec.structs.replace(finding, file=file) for finding in self._listed]

    def extend(self, more: Findings, lines: int) -> None:
        """Takes in what was found in a later stretch of the same file, `lines` lines further down."""
        for finding in more._listed:
            if self.wants(finding.code):
                line = finding.line + lines if finding.line is not None else None
                self._listed.append(msgspec.structs.replace(finding, line=line))
        self.total += more.total
        self.errors += more.errors
        for code, places in more.kinds.items():
            self.kinds[code] = self.kinds.get(code, 0) + places

    def listed(self) -> list[Finding]:
        """At most a hundred, errors and lower lines first; of each kind at least one."""
        firsts, spare = _firsts(self._listed)
        chosen = firsts + spare[: max(0, LISTED - len(firsts))]
        return sorted(chosen, key=lambda f: (f.severity != "error", f.file or "", f.line or 0))


def _firsts(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    seen: set[str] = set()
    firsts: list[Finding] = []
    spare: list[Finding] = []
    for finding in findings:
        (spare if finding.code in seen else firsts).append(finding)
        seen.add(finding.code)
    return firsts, spare
