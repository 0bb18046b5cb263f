"""Which jobs a list shows: root jobs, the newest first.

Source: `jobs.list` of the ARM reference (`jobType`, `tag`, `listViewType`, `properties`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azureml_box.errors import BadRequest
from azureml_box.jobs import documents

if TYPE_CHECKING:
    from azureml_box.context import Box

PARAMETERS = ("$skip", "jobType", "tag", "listViewType", "properties")
_VIEWS = {"activeonly": (False,), "archivedonly": (True,), "all": (False, True)}


def chosen(box: Box, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """The jobs that a query asks for.

    Raises:
        BadRequest: there is no such view.
    """
    view = _VIEWS.get(query.get("listViewType", "ActiveOnly").lower())
    if view is None:
        raise BadRequest(f"The value {query['listViewType']!r} of listViewType is not valid.", target="listViewType")
    docs = box.store.list(documents.KIND, newest_first=True)
    roots = (doc for doc in docs if doc["_parent"] is None and bool(doc["properties"].get("isArchived")) in view)
    return [doc for doc in roots if _fits(doc["properties"], query)]


def _fits(properties: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    kind, tag = query.get("jobType"), query.get("tag")
    if kind and str(properties.get("jobType")).lower() != kind.lower():
        return False
    if tag and tag not in properties["tags"]:
        return False
    wanted = [pair.partition("=") for pair in query.get("properties", "").split(",") if pair]
    own = properties["properties"]
    return all(name in own and (not equals or str(own[name]) == value) for name, equals, value in wanted)
