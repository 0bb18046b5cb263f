"""MLflow's tracking API: experiments, runs, metrics, parameters, tags (mlflow.org/docs/latest/rest-api.html).

Where Azure takes less than MLflow documents (learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow,
"support matrix": no order by metrics, no LIKE, no status in filters), MLflow's own behaviour is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from azureml_box.http import body
from azureml_box.jobs.mlflow import experiments, runs, search, writing
from azureml_box.jobs.mlflow.errors import Refused

if TYPE_CHECKING:
    from azureml_box.context import Box

Call = Callable[["Box", dict[str, Any]], dict[str, Any]]
_CALLS: dict[str, tuple[str, Call]] = {
    "runs/get": ("GET", runs.get),
    "runs/search": ("POST", search.runs),
    "runs/create": ("POST", runs.create),
    "runs/update": ("POST", runs.update),
    "runs/delete": ("POST", runs.delete),
    "runs/restore": ("POST", runs.restore),
    "runs/log-metric": ("POST", writing.log_metric),
    "runs/log-batch": ("POST", writing.log_batch),
    "runs/log-parameter": ("POST", writing.log_parameter),
    "runs/set-tag": ("POST", writing.set_tag),
    "runs/delete-tag": ("POST", writing.delete_tag),
    "logged-models/search": ("POST", search.logged_models),
    "metrics/get-history": ("GET", search.history),
    "experiments/create": ("POST", experiments.create),
    "experiments/get": ("GET", experiments.by_id),
    "experiments/get-by-name": ("GET", experiments.by_name),
    "experiments/search": ("POST", experiments.search),
    "experiments/set-experiment-tag": ("POST", experiments.set_tag),
}


def routes(box: Box) -> list[BaseRoute]:
    """One route a call of the API."""
    base = f"/mlflow/v2.0{box.config.workspace_scope}/api/2.0/mlflow"
    return [Route(f"{base}/{path}", _handler(box, call), methods=[verb]) for path, (verb, call) in _CALLS.items()]


def _handler(box: Box, call: Call) -> Callable[[Request], Any]:
    async def handle(request: Request) -> Response:
        sent = dict(request.query_params) if request.method == "GET" else await body(request)
        try:
            return JSONResponse(call(box, sent))
        except Refused as error:
            return JSONResponse({"error_code": error.code, "message": error.message}, status_code=error.status)

    return handle
