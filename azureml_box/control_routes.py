"""`/_emulator/…`: faults, calls, provisioning and reset, for tests; open to this machine and the control token only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azureml_box import snapshots
from azureml_box.errors import BadRequest
from azureml_box.http import body
from azureml_box.resetting import PARTS, reset

if TYPE_CHECKING:
    from azureml_box.context import Box


def routes(box: Box) -> list[Route]:
    """The emulator's own API."""
    handlers = _Handlers(box)
    return [
        Route("/_emulator/faults", handlers.faults, methods=["GET"]),
        Route("/_emulator/faults", handlers.add_fault, methods=["POST"]),
        Route("/_emulator/faults", handlers.clear_faults, methods=["DELETE"]),
        Route("/_emulator/faults/{fault}", handlers.remove_fault, methods=["DELETE"]),
        Route("/_emulator/calls", handlers.calls, methods=["GET"]),
        Route("/_emulator/provisioning", handlers.provisioning, methods=["GET"]),
        Route("/_emulator/provisioning", handlers.provision, methods=["POST"]),
        Route("/_emulator/advance", handlers.advance, methods=["POST"]),
        Route("/_emulator/snapshots", handlers.snapshots, methods=["GET"]),
        Route("/_emulator/snapshots/{snapshot}", handlers.save, methods=["POST"]),
        Route("/_emulator/snapshots/{snapshot}", handlers.forget, methods=["DELETE"]),
        Route("/_emulator/snapshots/{snapshot}/restore", handlers.restore, methods=["POST"]),
        Route("/_emulator/reset", handlers.reset, methods=["POST"]),
    ]


class _Handlers:
    def __init__(self, box: Box) -> None:
        self._box = box

    async def faults(self, _request: Request) -> Response:
        """The faults in force with their counts, and the latest that fired."""
        return JSONResponse(self._box.faults.document())

    async def add_fault(self, request: Request) -> Response:
        """Put a fault in force."""
        return JSONResponse(self._box.faults.add(await body(request)), 201)

    async def clear_faults(self, _request: Request) -> Response:
        """Take all faults away."""
        self._box.faults.clear()
        return Response(status_code=204)

    async def remove_fault(self, request: Request) -> Response:
        """Take one fault away."""
        self._box.faults.remove(request.path_params["fault"])
        return Response(status_code=204)

    async def calls(self, request: Request) -> Response:
        """The latest calls with their effects; `after`, `since`, `method`, `path` and `limit` choose among them."""
        query = request.query_params
        after, limit = _number(query.get("after"), 0), _number(query.get("limit"), 1000)
        method, path, since = (query.get(name, "") for name in ("method", "path", "since"))
        return JSONResponse(self._box.calls.document(after, method, path, max(limit, 1), since))

    async def provisioning(self, _request: Request) -> Response:
        """The mode of each kind of resource, and what waits to be advanced."""
        return JSONResponse(self._box.provisioning.document())

    async def provision(self, request: Request) -> Response:
        """Set modes: `{"jobs": "manual"}`; and `timeScale`."""
        chosen = await body(request)
        scale = chosen.pop("timeScale", self._box.provisioning.time_scale)
        if isinstance(scale, bool) or not isinstance(scale, int | float) or scale < 0:
            raise BadRequest(f"timeScale must be a number from 0, not {scale!r}.", target="timeScale")
        for kind, mode in chosen.items():
            self._box.provisioning.choose(kind, str(mode))
        self._box.provisioning.time_scale = float(scale)
        return JSONResponse(self._box.provisioning.document())

    async def advance(self, request: Request) -> Response:
        """Let what waits go on: all, those of a `kind`, or the one with a `name`."""
        sent = await body(request)
        _only(sent, ("kind", "name"))
        return JSONResponse({"advanced": self._box.provisioning.advance(sent.get("kind"), sent.get("name"))})

    async def snapshots(self, _request: Request) -> Response:
        """All snapshots"""
        return JSONResponse({"snapshots": snapshots.listing(self._box)})

    async def save(self, request: Request) -> Response:
        """Keep the whole state under a name"""
        return JSONResponse(await snapshots.save(self._box, request.path_params["snapshot"]), 201)

    async def forget(self, request: Request) -> Response:
        """Delete a snapshot"""
        await snapshots.delete(self._box, request.path_params["snapshot"])
        return Response(status_code=204)

    async def restore(self, request: Request) -> Response:
        """Go back to a snapshot: all work ends, its jobs and deployments are taken up again"""
        return JSONResponse(await snapshots.restore(self._box, request.path_params["snapshot"]))

    async def reset(self, request: Request) -> Response:
        """Forget all, or `only` some parts: faults, calls, provisioning, unsupported, state; environments only where named."""
        sent = await body(request)
        _only(sent, ("only",))
        parts = sent.get("only") or list(PARTS)
        if not isinstance(parts, list):
            raise BadRequest(f"`only` must be a list of parts, not {parts!r}.", target="only")
        await reset(self._box, parts)
        return Response(status_code=204)


def _only(sent: dict[str, Any], known: tuple[str, ...]) -> None:
    if unknown := sorted(set(sent) - set(known)):
        raise BadRequest(f"There is no field {unknown[0]!r}; known: {', '.join(known)}.", target=unknown[0])


def _number(text: str | None, default: int) -> int:
    if text is not None and not text.isdigit():
        raise BadRequest(f"A whole number is wanted, not {text!r}.", "InvalidQueryParameter")
    return int(text) if text else default
