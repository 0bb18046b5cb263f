"""What the checker has to say: one finding a place."""

from __future__ import annotations

import msgspec

LISTED = 100


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong or was mended; `line` counts from 1 and is None for the file as a whole."""

    code: str
    severity: str
    message: str
    fix: str
    line: int | None = None
    field: str | None = None
    file: str | None = None


class Findings:
    """Counts all findings and lists the first hundred, the first of each kind always among them."""

    def __init__(self) -> None:
        self.total = 0
        self.errors = 0
        self._listed: list[Finding] = []
        self._kinds: set[str] = set()

    def add(self, finding: Finding) -> None:
        """Counts a finding and keeps it where there is room or it is the first of its kind."""
        self.total += 1
        self.errors += finding.severity == "error"
        if len(self._listed) < LISTED or finding.code not in self._kinds:
            self._listed.append(finding)
        self._kinds.add(finding.code)

    def listed(self) -> list[Finding]:
        """At most a hundred, errors and lower lines first; of each kind at least one."""
        first: set[str] = set()
        keep: list[Finding] = []
        spare: list[Finding] = []
        for finding in self._listed:
            (spare if finding.code in first else keep).append(finding)
            first.add(finding.code)
        chosen = keep + spare[: max(0, LISTED - len(keep))]
        return sorted(chosen, key=lambda f: (f.severity != "error", f.file or "", f.line or 0))
