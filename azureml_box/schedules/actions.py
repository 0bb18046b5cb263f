"""What a schedule does when it fires: the job of its action, with what only that moment knows filled in.

Expressions: learn.microsoft.com/azure/machine-learning/how-to-schedule-pipeline-job ("Expressions supported in schedule").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azureml_box.errors import ArmError, BadRequest, NotFound
from azureml_box.jobs import bodies, documents
from azureml_box.jobs.submission import plan_of

if TYPE_CHECKING:
    from azureml_box.context import Box

_TIME = re.compile(r"\$\{\{\s*creation_context\.trigger_time\s*\}\}")
_NAME = re.compile(r"\$\{\{\s*name\s*\}\}")
_JOB = re.compile(r"(?:^|/jobs/|azureml:)([^/:]+)$")
# What a new job does not take over from the one that it is made after.
_OF_A_RUN = ("services", "status", "startTimeUtc", "endTimeUtc", "isArchived", "sourceJobId")


def definition(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The job of an action.

    Raises:
        ArmError: 501, only jobs are scheduled here; 400, it has none.
    """
    kind = str(sent.get("actionType") or "")
    if kind.lower() != "createjob":
        what = f"schedules whose actionType is {kind or 'not given'}"
        raise ArmError(501, "NotImplemented", f"The emulator does not implement {what}; CreateJob is.", what)
    found = sent.get("jobDefinition")
    if not isinstance(found, dict):
        raise BadRequest("The action needs a jobDefinition.", target="properties.action.jobDefinition")
    return found


def body(box: Box, schedule: Mapping[str, Any], name: str, moment: datetime) -> dict[str, Any]:
    """The properties of the job that a schedule makes at a moment.

    Raises:
        NotFound: the job that it is to be made after is gone.
    """
    own = definition(schedule["properties"]["action"])
    made = _completed(box, own)
    for entry in (made.get("inputs") or {}).values():
        _fill(entry, ("value",), _TIME, stamp(moment))
    for entry in (made.get("outputs") or {}).values():
        _fill(entry, ("uri", "path"), _NAME, name)
    made["displayName"] = f"{schedule['name']}-{moment:%Y%m%dT%H%M%SZ}"
    made["properties"] = {
        **(made.get("properties") or {}),
        "azureml.scheduleId": schedule["id"],
        "azureml.scheduleName": schedule["name"],
        "azureml.triggerTime": stamp(moment),
    }
    return made


def check(box: Box, schedule: Mapping[str, Any], moment: datetime) -> None:
    """Look at the job as if it were submitted now.

    Raises:
        ArmError: it would be refused.
    """
    made = body(box, schedule, "schedule-check", moment)
    bodies.check(box, {"properties": made}, made)
    plan_of(box, made)


def stamp(moment: datetime) -> str:
    """A trigger's time, to the second, in UTC."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _completed(box: Box, own: Mapping[str, Any]) -> dict[str, Any]:
    """The definition; one that names a job by its id is that job's, with what the definition says besides."""
    given = {key: value for key, value in own.items() if value not in (None, {}) and key not in _OF_A_RUN}
    source = own.get("sourceJobId")
    if not source:
        return deepcopy(given)
    match = _JOB.search(str(source))
    if match is None or (doc := box.store.get(documents.KIND, match[1])) is None:
        raise NotFound(f"The job {source!r} that the schedule is made after is not found.", "UserError")
    before = {key: value for key, value in doc["properties"].items() if key not in _OF_A_RUN and value is not None}
    if before.get("jobType") == "Command":  # each run writes where its own name leads
        for entry in (before.get("outputs") or {}).values():
            entry.pop("uri", None)
    merged = {**before, **{key: value for key, value in given.items() if value != ""}}
    for part in ("inputs", "outputs", "settings"):
        merged[part] = {**(before.get(part) or {}), **(given.get(part) or {})}
    return deepcopy(merged)


def _fill(entry: Any, names: tuple[str, ...], expression: re.Pattern[str], value: str) -> None:
    if isinstance(entry, dict):
        for name in names:
            if isinstance(entry.get(name), str):
                entry[name] = expression.sub(lambda _: value, entry[name])
