"""Which events call which function, from the code that answers them: `python -m infra.subscriptions` writes the file.

`infra/events.bicep` loads it; a test holds it against the code. Texts in advanced filters are compared without case
(learn.microsoft.com/azure/event-grid/event-filtering), as `place` compares suffixes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from functions.canary import PREFIX as CANARY_PREFIX
from functions.canary import SUFFIX as CANARY_SUFFIX
from functions.dataset_uploaded import PREFIX
from shared.datasets.paths import COMPANIONS, CONFIG, REPORTS, SUFFIXES
from shared.runs.identity import job_name

FILE = Path(__file__).with_name("subscriptions.json")
BLOB_CREATED = "Microsoft.Storage.BlobCreated"
JOB_EVENTS = ["Microsoft.MachineLearningServices.RunCompleted", "Microsoft.MachineLearningServices.RunStatusChanged"]


def datasets() -> dict[str, Any]:
    """Whatever `place` calls part of a dataset, and little else: the function looks again."""
    endings = sorted({*SUFFIXES, f"/{CONFIG}", *(f"/{name}" for name in COMPANIONS)})
    return {
        "includedEventTypes": [BLOB_CREATED],
        "subjectBeginsWith": PREFIX,
        "advancedFilters": [
            {"operatorType": "StringEndsWith", "key": "subject", "values": endings},
            {"operatorType": "StringNotEndsWith", "key": "subject", "values": list(REPORTS)},
        ],
    }


def jobs() -> dict[str, Any]:
    """Changes of our own jobs: neither steps of a pipeline nor other people's."""
    beginning = job_name("", 0).partition("-")[0] + "-"
    return {
        "includedEventTypes": JOB_EVENTS,
        "advancedFilters": [{"operatorType": "StringBeginsWith", "key": "data.runId", "values": [beginning]}],
    }


def canaries() -> dict[str, Any]:
    """What `droptune doctor` drops, to see whether events arrive."""
    return {
        "includedEventTypes": [BLOB_CREATED],
        "subjectBeginsWith": CANARY_PREFIX,
        "subjectEndsWith": CANARY_SUFFIX,
    }


def wanted() -> dict[str, list[dict[str, Any]]]:
    """All subscriptions by the topic that has the events."""
    return {
        "storage": [
            {"name": "dataset-uploaded", "function": "dataset_uploaded", "filter": datasets()},
            {"name": "canary", "function": "canary", "filter": canaries()},
        ],
        "workspace": [{"name": "job-changed", "function": "job_changed", "filter": jobs()}],
    }


def text() -> str:
    """The file."""
    return json.dumps(wanted(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
