"""Which jobs a list shows: root jobs, the newest first.

Source: `jobs.list` of the ARM reference (`jobType`, `tag`, `listViewType`, `properties`; `scheduled` and `scheduleId` up to
2024-10-01).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from azureml_box.errors import BadRequest

PARAMETERS = ("$skip", "$top", "$skiptoken", "jobType", "tag", "listViewType", "properties", "scheduled", "scheduleId")
_VIEWS = {"activeonly": (False,), "archivedonly": (True,), "all": (False, True)}


def chosen(query: Mapping[str, str]) -> Callable[[dict[str, Any]], bool]:
    """What tells the jobs that a query asks for.

    Raises:
        BadRequest: there is no such view.
    """
    view = _VIEWS.get(query.get("listViewType", "ActiveOnly").lower())
    if view is None:
        raise BadRequest(f"The value {query['listViewType']!r} of listViewType is not valid.", target="listViewType")

    def wanted(doc: dict[str, Any]) -> bool:
        properties = doc["properties"]
        return doc["_parent"] is None and bool(properties.get("isArchived")) in view and _fits(properties, query)

    return wanted


def _fits(properties: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    kind, tag = query.get("jobType"), query.get("tag")
    if kind and str(properties.get("jobType")).lower() != kind.lower():
        return False
    if tag and tag not in properties["tags"]:
        return False
    schedule = properties["properties"].get("azureml.scheduleName")
    if query.get("scheduled", "").lower() == "true" and schedule is None:
        return False
    if query.get("scheduleId") and str(query["scheduleId"]).rsplit("/", 1)[-1] != schedule:
        return False
    wanted = [pair.partition("=") for pair in query.get("properties", "").split(",") if pair]
    own = properties["properties"]
    return all(name in own and (not equals or str(own[name]) == value) for name, equals, value in wanted)
