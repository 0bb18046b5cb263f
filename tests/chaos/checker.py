"""Judges the end of a chaos run by the world outside alone; what is wrong is told in sentences, nothing wrong is []."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from tests.chaos.seen import ENDED_JOBS, Seen
from tests.chaos.wishes import Wish

SERVED = ("live", "superseded")


def judge(seen: Seen, wishes: list[Wish], before: dict[str, Any], calm: float, window: float | None) -> list[str]:
    """All that is wrong.

    `before`: the strangers as they were at the start. `calm`: when the last fault ended, in seconds since 1970.
    `window`: for how many seconds an endpoint may go on billing after it was last changed, or after `calm`; None where
    endpoints never sleep.
    """
    return [
        *_jobs(seen, wishes),
        *_reports(seen, wishes),
        *_models(seen, wishes),
        *(_awake(seen, wishes) if window is None else [*_asleep(seen), *_bill(seen, calm, window)]),
        *([] if seen.strangers == before else [f"a stranger was touched: {before} became {seen.strangers}"]),
        *(f"a secret is told: {told}" for told in seen.secrets_in),
    ]


def _jobs(seen: Seen, wishes: list[Wish]) -> list[str]:
    """Invariant 1: exactly one job for each wish, over its rows and no others; none runs at the end."""
    told = [f"{job['name']} is {job['status']} at the end" for job in seen.jobs if job["status"] not in ENDED_JOBS]
    told += [f"{job['name']} trains on {job['trained']}" for job in seen.jobs if len(job["trained"]) != 1]
    of: dict[str, list[str]] = defaultdict(list)
    for job in seen.jobs:
        for word in job["trained"]:
            of[word].append(job["name"])
    told += [
        f"{wish.path} has {len(of[wish.word])} jobs: {of[wish.word]}" for wish in wishes if len(of[wish.word]) != 1
    ]
    made = Counter(call["path"].lower() for call in seen.calls if _makes_a_job(call))
    return told + [f"{path} was made {count} times" for path, count in made.items() if count > 1]


def _makes_a_job(call: dict[str, Any]) -> bool:
    return call["method"] == "PUT" and call["status"] == 201 and call["path"].lower().rsplit("/", 2)[-2] == "jobs"


def _reports(seen: Seen, wishes: list[Wish]) -> list[str]:
    """Invariants 6 and 44: each wish has a report that says how it ended, and of a folder exactly one is live."""
    told, live = [], Counter[str]()
    for wish in wishes:
        report = seen.reports.get(wish.path) or {}
        if report.get("state") not in SERVED:
            told.append(f"the report of {wish.path} says {report.get('state')}: {report.get('reason', '')}")
        live[wish.folder] += report.get("state") == "live"
    return told + [f"{folder} has {count} live runs" for folder, count in live.items() if count != 1]


def _models(seen: Seen, wishes: list[Wish]) -> list[str]:
    """One version for each wish: nothing registered twice, nothing lost."""
    same = len(set(seen.models)) == len(wishes)
    return [] if same else [f"{len(set(seen.models))} model versions for {len(wishes)} wishes"]


def _awake(seen: Seen, wishes: list[Wish]) -> list[str]:
    """Invariants 6 and 27: one deployment for each folder, and nothing else bills."""
    stand = sorted(f"{endpoint}/{name}" for endpoint, names in seen.endpoints.items() for name in names)
    bills = sorted(f"{row['endpoint']}/{row['deployment']}" for row in seen.bill if row["to"] is None)
    folders = {wish.folder for wish in wishes}
    told = [f"{stand} stand, and {bills} bill"] if stand != bills else []
    same = len(seen.endpoints) == len(folders) and all(len(names) == 1 for names in seen.endpoints.values())
    return told if same else [*told, f"{len(folders)} folders, but deployments are {seen.endpoints}"]


def _asleep(seen: Seen) -> list[str]:
    """Invariant 27: all fell asleep, so nothing stands."""
    return [f"{endpoint} has {names} at the end" for endpoint, names in seen.endpoints.items() if names]


def _bill(seen: Seen, calm: float, window: float) -> list[str]:
    """Invariant 29: nothing bills longer than the window after its endpoint was last changed, or after the calm."""
    told = []
    for row in seen.bill:
        name = f"{row['endpoint']}/{row['deployment']}"
        if row["to"] is None:
            told.append(f"{name} still bills")
            continue
        ended = _seconds(row["to"])
        late = ended - max(calm, _last_change(seen, row["endpoint"], ended))
        if late > window:
            told.append(f"{name} billed for {late:.0f} s after its last change, and may for {window:.0f}")
    return told


def _last_change(seen: Seen, endpoint: str, before: float) -> float:
    """When somebody last set an endpoint's traffic or asked it something, before a moment."""
    ends = (f"/onlineendpoints/{endpoint}".lower(), f"/endpoints/{endpoint}/score".lower())
    moments = [
        _seconds(call["at"])
        for call in seen.calls
        if call["effect"] == "changed" and call["path"].lower().rstrip("/").endswith(ends)
    ]
    return max((moment for moment in moments if moment <= before), default=0.0)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
