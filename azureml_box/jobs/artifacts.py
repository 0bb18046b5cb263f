"""Files that a run keeps besides its outputs: run history's artifacts, as `azureml-mlflow` logs, lists and loads them.

They lie in the artifact store below `ExperimentRun/dcid.RUN/`, as in Azure; whoever writes or reads one gets a SAS for it.
Source: the REST client in azureml-mlflow 1.62 (`_restclient/run_artifact`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from azureml_box import datastores
from azureml_box.errors import BadRequest, NotFound
from azureml_box.http import body, json
from azureml_box.jobs import documents

if TYPE_CHECKING:
    from azureml_box.context import Box

_ORIGIN = "ExperimentRun"


def routes(box: Box) -> list[Route]:
    """Listing, one file's address, and addresses for files to come; an experiment goes by its name or its id, which are one."""
    handlers = _Handlers(box)
    found: list[Route] = []
    for plural in ("experiments", "experimentids"):
        base = f"/history/v1.0{box.config.workspace_scope}/{plural}/{{experiment}}/runs/{{name}}/artifacts"
        found += [
            Route(base, handlers.listing),
            Route(base + "/path", handlers.listing),
            Route(base + "/contentinfo", handlers.content),
            Route(base + "/prefix/contentinfo", handlers.contents),
            Route(base + "/batch/metadata", handlers.create, methods=["POST"]),
        ]
    return found


class _Handlers:
    def __init__(self, box: Box) -> None:
        self._box = box

    async def listing(self, request: Request) -> Response:
        """All files of a run, or those below `path`."""
        run, start = self._run(request), request.query_params.get("path", "")
        return json({"value": [_artifact(run, path) for path in await self._paths(run, start)]})

    async def content(self, request: Request) -> Response:
        """The address of the file at `path`"""
        run, path = self._run(request), request.query_params.get("path", "")
        if path not in await self._paths(run, path):
            raise NotFound(f"Run {run!r} has no artifact {path!r}.", "UserError")
        return json(await self._address(run, path))

    async def contents(self, request: Request) -> Response:
        """The addresses of all files below `path`"""
        run, start = self._run(request), request.query_params.get("path", "")
        return json({"value": [await self._address(run, path) for path in await self._paths(run, start)]})

    async def create(self, request: Request) -> Response:
        """Addresses to which files are sent that a run shall keep."""
        run, asked = self._run(request), (await body(request)).get("paths") or []
        paths = [str(one["path"]) for one in asked if isinstance(one, dict) and one.get("path")]
        if len(paths) != len(asked):
            raise BadRequest("`paths` must be a list of objects, each with a `path`.", target="paths")
        await asyncio.to_thread(self._box.storage.ensure_container, self._container)
        addresses = {path: await self._address(run, path) for path in paths}
        artifacts = {path: _artifact(run, path) for path in paths}
        return json({"artifacts": artifacts, "artifactContentInformation": addresses, "errors": {}})

    @property
    def _container(self) -> str:
        return str(datastores.find(self._box, datastores.ARTIFACTS)["properties"]["containerName"])

    def _run(self, request: Request) -> str:
        return str(documents.get(self._box, request.path_params["name"])["name"])

    async def _paths(self, run: str, start: str) -> list[str]:
        """What lies at or below `start`, which is a whole name, not a part of one."""
        prefix = _blob(run, "")
        names = await asyncio.to_thread(self._box.storage.list, self._container, prefix + start)
        paths = sorted(name.removeprefix(prefix) for name in names)
        return [path for path in paths if not start or path == start or path.startswith(start.rstrip("/") + "/")]

    async def _address(self, run: str, path: str) -> dict[str, Any]:
        sas = await asyncio.to_thread(self._box.storage.container_sas, self._container)
        config = self._box.config
        # Spelt as clients spell an account by its cloud's suffix: azureml-mlflow downloads from no other address.
        account = f"https://{config.storage_account}.blob.{config.storage_suffix}"
        plain = self._box.storage.blob_url(self._container, _blob(run, path))
        address = f"{plain.replace(config.storage_url.rstrip('/'), account, 1)}?{sas}"
        return {"contentUri": address, "origin": _ORIGIN, "container": f"dcid.{run}", "path": path, "tags": {}}


def _artifact(run: str, path: str) -> dict[str, Any]:
    container = f"dcid.{run}"
    place = {"artifactId": f"{_ORIGIN}/{container}/{path}", "origin": _ORIGIN, "container": container, "path": path}
    return {**place, "tags": {}, "dataPath": None, "etag": None, "createdTime": None}


def _blob(run: str, path: str) -> str:
    return f"{_ORIGIN}/dcid.{run}/{path}"
