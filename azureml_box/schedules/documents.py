"""A schedule's ARM document: what was sent is checked, what Azure adds is added."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azureml_box.errors import BadRequest, NotFound
from azureml_box.jobs import documents as jobs
from azureml_box.schedules import actions
from azureml_box.schedules.triggers import parse
from azureml_box.stamps import stamp

if TYPE_CHECKING:
    from azureml_box.context import Box

KIND = "schedules"
# `CreateOrUpdateSchedule` of the ARM reference: the pattern of the name in the path.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}")


def get(box: Box, name: str) -> dict[str, Any]:
    """The stored schedule, or NotFound."""
    doc = box.store.get(KIND, name)
    if doc is None:
        raise NotFound(f"Schedule {name!r} was not found in workspace {box.config.workspace!r}.", "UserError")
    return doc


def make(box: Box, name: str, sent: dict[str, Any], before: dict[str, Any] | None, now: datetime) -> dict[str, Any]:
    """What is stored of a schedule that was sent; `_after` is the moment from which on its next firing is looked for.

    Raises:
        BadRequest, NotFound, ArmError: the name, the trigger or the job is wrong.
    """
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"The schedule name {name!r} is invalid: 1 to 255 letters, digits, '-' and '_'.", target="name"
        )
    given = sent.get("properties") or {}
    job = actions.definition(given.get("action") or {})
    jobs.fill_modes(job)
    trigger = _trigger(given.get("trigger") or {}, before, now)
    enabled = given.get("isEnabled") is not False
    properties = {
        "description": None,
        "displayName": None,
        **{key: value for key, value in given.items() if value is not None},
        "tags": given.get("tags") or {},
        "properties": given.get("properties") or {},
        "trigger": trigger,
        "isEnabled": enabled,
        "provisioningState": "Succeeded",
    }
    doc = {
        "id": f"{box.config.workspace_scope}/schedules/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/schedules",
        "systemData": stamp(before),
        "properties": properties,
        "_after": now.isoformat(),
        "_at_once": before is None and enabled and not (given.get("trigger") or {}).get("startTime"),
    }
    actions.check(box, doc, now)
    return doc


def _trigger(sent: dict[str, Any], before: dict[str, Any] | None, now: datetime) -> dict[str, Any]:
    """The trigger with its start filled in, as the service does: the moment at which the schedule was made."""
    made = {"timeZone": "UTC", **{key: value for key, value in sent.items() if value is not None}}
    if not made.get("startTime") and before is not None:
        made["startTime"] = before["properties"]["trigger"]["startTime"]
    read = parse(made, now)
    if read.end is not None and read.end <= now:
        where = "properties.trigger.endTime"
        raise BadRequest(f"The end time {made['endTime']} of the schedule lies in the past.", target=where)
    _as_enumerated(made)
    made.setdefault("startTime", f"{read.start:%Y-%m-%dT%H:%M:%S}")
    return made


def _as_enumerated(trigger: dict[str, Any]) -> None:
    """Write frequency and weekdays as the ARM reference's enumerations spell them, as the service gives them back."""
    if trigger.get("frequency"):
        trigger["frequency"] = str(trigger["frequency"]).capitalize()
    pattern = trigger.get("schedule") or {}
    if pattern.get("weekDays"):
        trigger["schedule"] = {**pattern, "weekDays": [str(day).capitalize() for day in pattern["weekDays"]]}
