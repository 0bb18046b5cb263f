"""Searching runs, and the history of a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml_box.jobs import documents
from azureml_box.jobs.mlflow import filters, ordering
from azureml_box.jobs.mlflow import runs as single
from azureml_box.jobs.mlflow.errors import invalid, listed, number
from azureml_box.jobs.reuse import origin

if TYPE_CHECKING:
    from azureml_box.context import Box

_PAGE = 25_000
_ATTRIBUTES: dict[str, type] = {
    **dict.fromkeys(("run_id", "run_name", "user_id", "status", "artifact_uri", "experiment_id"), str),
    **dict.fromkeys(("start_time", "end_time"), int),
}
VIEWS = {"ACTIVE_ONLY": ("active",), "DELETED_ONLY": ("deleted",), "ALL": ("active", "deleted")}


def runs(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """The runs of experiments that a filter lets through, the newest first unless `order_by` says otherwise."""
    clauses = filters.parse(str(sent.get("filter") or ""), _ATTRIBUTES)
    wanted, stages = set(listed(sent, "experiment_ids")), view(sent.get("run_view_type"))
    docs = box.store.list(documents.KIND, newest_first=True)
    chosen = [doc for doc in docs if not wanted or doc["properties"]["experimentName"] in wanted]
    found = [(values(run), run) for run in (single.document(box, doc) for doc in chosen)]
    found = [
        (seen, run)
        for seen, run in found
        if run["info"]["lifecycle_stage"] in stages and all(clause.matches(seen) for clause in clauses)
    ]
    found.sort(key=lambda one: (-one[1]["info"]["start_time"], one[1]["info"]["run_id"]))
    shown, following = ordering.page(ordering.ordered(found, listed(sent, "order_by"), _ATTRIBUTES), sent)
    return {"runs": [run for _, run in shown], **following}


def view(asked: Any) -> tuple[str, ...]:
    """The life-cycle stages that a view shows."""
    stages = VIEWS.get(str(asked or "ACTIVE_ONLY"))
    if stages is None:
        raise invalid(f"Invalid value {asked!r} for parameter 'run_view_type' supplied; known are {', '.join(VIEWS)}.")
    return stages


def values(run: dict[str, Any]) -> filters.Values:
    """All that a filter can ask of a run."""
    data = run["data"]
    return {
        **{("metric", point["key"]): float(point["value"]) for point in data["metrics"]},
        **{("param", entry["key"]): entry["value"] for entry in data["params"]},
        **{("tag", entry["key"]): entry["value"] for entry in data["tags"]},
        **{("attribute", name): run["info"][name] for name in _ATTRIBUTES},
    }


def history(box: Box, sent: dict[str, Any]) -> dict[str, Any]:
    """All values of a metric, paged."""
    points = single.data(box, origin(single.find(box, sent)))["metrics"].get(str(sent.get("metric_key")), [])
    start, size = max(number(sent, "page_token", 0), 0), min(number(sent, "max_results", _PAGE), _PAGE)
    answer: dict[str, Any] = {"metrics": points[start : start + size]}
    if start + size < len(points):
        answer["next_page_token"] = str(start + size)
    return answer


def logged_models(_box: Box, _sent: dict[str, Any]) -> dict[str, Any]:
    """The models of MLflow 3 that are no files of a run: none, since nothing here makes them; its clients ask in each listing."""
    return {"models": []}
