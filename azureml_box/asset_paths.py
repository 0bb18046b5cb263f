"""Where an asset's files lie: the addresses that PUT accepts, turned into datastore addresses that exist."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from azureml_box import datastores
from azureml_box.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from azureml_box.context import Box

_JOB_OUTPUT = re.compile(r"^azureml://jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths/?(?P<path>.*))?$")
_RUN = re.compile(r"^runs:/+(?P<job>[^/]+)/(?P<path>.+)$")


def located(box: Box, uri: str) -> str:
    """The long datastore address of `uri`; addresses outside the workspace's account come back as they are."""
    if match := _JOB_OUTPUT.match(uri):
        uri = _output_uri(box, match["job"], match["output"], match["path"] or "")
    elif match := _RUN.match(uri):
        uri = _artifact(match["job"], match["path"])
    return datastores.long_form(box, uri)


def _output_uri(box: Box, job: str, output: str, path: str) -> str:
    doc = box.store.get("jobs", job)
    if doc is None:
        raise NotFound(f"Job {job!r} does not exist; its output {output!r} can't be registered.")
    if output == "artifacts":
        return _artifact(job, path)
    known = doc["properties"].get("outputs") or {}
    uri = (known.get(output) or {}).get("uri")
    if not uri:
        names = ", ".join(known) or "none"
        raise NotFound(f"Job {job!r} has no output {output!r} with files. It has: {names}.")
    return f"{str(uri).rstrip('/')}/{path}".rstrip("/")


def _artifact(job: str, path: str) -> str:
    return f"azureml://datastores/{datastores.ARTIFACTS}/paths/ExperimentRun/dcid.{job}/{path}"


async def must_exist(box: Box, uri: str) -> None:
    """Refuse an address below which the account has no blob; other hosts are not asked."""
    if uri.startswith(("http://", "https://")):
        try:
            container, path = datastores.resolve(box, uri)
        except BadRequest:
            return
    elif uri.startswith("azureml://"):
        container, path = datastores.resolve(box, uri)
    else:
        raise BadRequest(f"{uri!r} is no address that the service can read.", target="uri")
    folder = path.rstrip("/")
    names = await asyncio.to_thread(box.storage.list, container, folder)
    if not any(name == folder or name.startswith(f"{folder}/" if folder else "") for name in names):
        raise NotFound(f"The path {folder!r} does not exist in container {container!r}.", "UserError")
