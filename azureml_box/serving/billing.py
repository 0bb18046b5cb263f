"""What runs costs: billed seconds of every deployment, from the start of its creation to its deletion."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from azureml_box.context import Box
    from azureml_box.store import Store

KIND = "billing"


def _now() -> datetime:
    return datetime.now(UTC)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def begin(store: Store, endpoint: str, deployment: str, instance_type: str, instances: int) -> None:
    """Open a row; an open row of other terms is closed first, one of the same terms goes on."""
    terms = {"instance_type": instance_type, "instance_count": instances}
    for row in _open(store, endpoint, deployment):
        if all(row[name] == value for name, value in terms.items()):
            return
        _close(store, row)
    begun = _text(_now())
    row = {"endpoint": endpoint, "deployment": deployment, **terms, "from": begun, "to": None}
    store.put(KIND, f"{endpoint}/{deployment}/{begun}", row)


def end(store: Store, endpoint: str, deployment: str) -> None:
    """Close what is open of a deployment."""
    for row in _open(store, endpoint, deployment):
        _close(store, row)


def seconds(row: dict[str, Any], now: datetime) -> float:
    """Billed seconds of a row: time times instances."""
    until = datetime.fromisoformat(row["to"]) if row["to"] else now
    return round((until - datetime.fromisoformat(row["from"])).total_seconds() * int(row["instance_count"]), 3)


def report(store: Store) -> dict[str, Any]:
    """The whole bill."""
    now = _now()
    rows = [{**row, "seconds": seconds(row, now)} for row in store.list(KIND)]
    jobs = [
        {"job": job.get("name"), "seconds": job["_billed_seconds"]}
        for job in store.list("jobs")
        if job.get("_billed_seconds") is not None
    ]
    return {"deployments": rows, "compute": jobs}


def routes(box: Box) -> list[Route]:
    """GET /_emulator/billing."""

    async def get(_request: Request) -> Response:
        """What deployments would have cost."""
        return JSONResponse(report(box.store))

    return [Route("/_emulator/billing", get, methods=["GET"])]


def _open(store: Store, endpoint: str, deployment: str) -> list[dict[str, Any]]:
    return [row for row in store.list(KIND, f"{endpoint}/{deployment}/") if row["to"] is None]


def _close(store: Store, row: dict[str, Any]) -> None:
    store.put(KIND, f"{row['endpoint']}/{row['deployment']}/{row['from']}", {**row, "to": _text(_now())})
