"""What bears our tag and belongs to no record: it is removed after a grace. What is not ours is never touched.

First seen is noted in a blob of its own; an orphan that is still one after the grace goes.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import msgspec

from shared.azure.outside import outside
from shared.azure.seen import Job, OnlineEndpoint
from shared.endpoints.deployments import TAG
from shared.errors import DroptuneError, NotFoundError
from shared.lifecycle import closing, problems
from shared.runs import identity, store, work
from shared.runs.records import Endpoint, Run, moment, rests, stamp

log = logging.getLogger("droptune")
SEEN = "_orphans.json"
FOREIGN = "foreign"
GRACE = timedelta(hours=1)
# A job that is older than the longest that a job may take has ended.
JOBS_SINCE = timedelta(days=8)


def look() -> list[str]:
    """Looks at our endpoints, their deployments and our jobs; returns what was removed."""
    present, standing = store.ACTIVE.now(), outside().online.all()
    found = _candidates(standing, present)
    seen, etag = _seen()
    kept = {name: seen.get(name, stamp(present)) for name in found}
    removed = [name for name in found if present - moment(kept[name]) >= GRACE and _remove(name)]
    left = {name: since for name, since in kept.items() if name not in removed}
    if left != seen:
        data = msgspec.json.encode(left)
        store.ACTIVE.write(SEEN, data, **({"if_match": etag} if etag else {"create": True}))
    _tell_foreign([endpoint.name for endpoint in standing if TAG not in endpoint.tags])
    return removed


def _candidates(standing: list[OnlineEndpoint], present: datetime) -> list[str]:
    names: list[str] = []
    for endpoint in standing:
        if TAG in endpoint.tags:
            names += _of_endpoint(endpoint)
    for job in outside().jobs.tagged(identity.TAG_RUN, present - JOBS_SINCE):
        if job.kind == "pipeline" and not job.ended and _ownerless(job):
            names.append(f"job/{job.name}")
    return names


def _tell_foreign(names: list[str]) -> None:
    """What bills in the workspace and is none of ours is told, and never touched; what is gone is told no more."""
    billing = {name: standing for name in names if (standing := outside().online.deployments(name))}
    told = {problem.subject for problem in problems.listed() if problem.kind == FOREIGN}
    for name in billing.keys() - told:
        sizes = ", ".join(f"{one.name} ({one.instance_type})" for one in billing[name])
        reason = f"bills and belongs to no run of droptune, so it is left alone: {sizes}"
        problems.note(FOREIGN, name, reason, "delete it in Azure ML if nobody needs it")
    for name in told - billing.keys():
        problems.forget(FOREIGN, name)


def _of_endpoint(endpoint: OnlineEndpoint) -> list[str]:
    loaded = store.find("endpoint", endpoint.tags[TAG])
    if loaded is None or loaded.record.endpoint_name != endpoint.name:
        return [f"endpoint/{endpoint.name}"]
    record: Endpoint = loaded.record
    kept = {record.deployment, *(entry.deployment for entry in record.leaving)}
    if record.deploying and (run := store.find("run", record.deploying)) is not None:
        kept.add(str(run.record.endpoint.get("deployment", "")))
    standing = outside().online.deployments(endpoint.name)
    return [
        f"deployment/{record.name}/{one.name}/{one.tags[identity.TAG_RUN]}"
        for one in standing
        if one.name not in kept and identity.TAG_RUN in one.tags
    ]


def _ownerless(job: Job) -> bool:
    """Whether no run wants this job: none of its tag's name, or one that rests, or one at another attempt."""
    loaded = store.find("run", job.tags.get(identity.TAG_RUN, ""))
    if loaded is None:
        return True
    run: Run = loaded.record
    return rests(run) or job.name not in (run.job.get("name"), identity.job_name(run.id, run.attempt))


def _remove(name: str) -> bool:
    kind, _, rest = name.partition("/")
    try:
        if kind == "endpoint":
            outside().online.delete(rest)
        elif kind == "job":
            outside().jobs.cancel(rest)
        else:
            _let_leave(*rest.split("/"))
    except DroptuneError as error:
        log.warning("cannot remove the orphan %s: %s", name, error.reason)
        return False
    problems.note("orphan", name, "bore our tag and belonged to no run: it was removed", "nothing is to be done")
    return True


def _let_leave(name: str, deployment: str, run: str) -> None:
    loaded = store.load("endpoint", name)
    if closing.leave(loaded.record, deployment, run):
        loaded.record.wait()
        store.save(loaded)
        work.follow(loaded.record)


def _seen() -> tuple[dict[str, str], str]:
    try:
        data, etag = store.ACTIVE.read(SEEN)
        return msgspec.json.decode(data, type=dict[str, str]), etag
    except NotFoundError:
        return {}, ""
