"""The whole check of a dataset, offline and in the cloud: the same bytes get the same verdict.

One pass reads, checks, counts and deals the rows to their sides; a second one is made only where the snapshot must be
written otherwise than was thought when it was begun: `tools` in some rows only, or next to no rows that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from shared.datasets.config import Config
from shared.datasets.ends import Sink
from shared.datasets.findings import Finding
from shared.datasets.judging import judge
from shared.datasets.reading import Read, Reading, Terms
from shared.datasets.sources import Source
from shared.datasets.split import SIDES
from shared.datasets.verdict import Verdict

RULES_VERSION = "2"
__all__ = ["RULES_VERSION", "SIDES", "Terms", "Verdict", "check"]


def check(
    files: Mapping[str, Source],
    config: Config | None = None,
    config_findings: list[Finding] | None = None,
    *,
    terms: Terms | None = None,
    sink: Callable[[], Sink] | None = None,
    read: Read | None = None,
) -> Verdict:
    """Checks a dataset; its clean rows go to a sink, a new one for each pass.

    `files` maps `dataset` and, where the user gives them, `test` and `validation` to what they are read from; `read`
    replaces the way in which the dataset itself is read (in several processes).
    """
    chosen, wanted = config or Config(), terms or Terms()
    reading = Reading(files, chosen, wanted, read)
    reading.go(sink() if sink else None)
    if reading.is_alone():
        chosen = msgspec.structs.replace(chosen, test_fraction=0.0, validation_fraction=0.0)
        reading = Reading(files, chosen, wanted, read)
        reading.go(sink() if sink else None)
    if reading.has_mixed_tools() and sink is not None:
        Reading(files, chosen, wanted, read, keep_tools=False).go(sink())
    return judge(reading, config_findings or [])
