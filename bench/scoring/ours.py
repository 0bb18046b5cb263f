"""droptune's scoring code alone in an ASGI server: `python -m bench.scoring.ours PORT UPSTREAM`.

All of it runs: the key, the checks, the line, the marks of use, the counts. Storage and Azure ML are this process's memory;
the endpoint is asked over HTTP as in production.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from shared import access
from shared.azure import outside
from shared.azure.seen import OnlineDeployment
from shared.endpoints import chat
from shared.endpoints.refusals import ScoringError
from shared.errors import NotFoundError
from shared.runs.records import Endpoint, Run

KEY = "dt-00000000-" + "k" * 40
MODEL, RUN, DEPLOYMENT = "bench", "bench-0123456789", "r-0123456789-1"
AT_ONCE = 256


class Memory:
    """The storage account."""

    def __init__(self, blobs: dict[str, bytes]) -> None:
        self._blobs = blobs

    def read(self, container: str, path: str, most: int | None) -> tuple[bytes, str]:
        """A blob."""
        if path not in self._blobs:
            raise NotFoundError(f"there is no {container}/{path}")
        return self._blobs[path], "etag"

    def write(self, container: str, path: str, data: bytes, **_: Any) -> str:
        """Takes one."""
        self._blobs[path] = data
        return "etag"


class Online:
    """The endpoint's key and its deployment."""

    def key(self, endpoint: str) -> str:
        """The key."""
        return "key"

    def deployment(self, endpoint: str, name: str) -> OnlineDeployment:
        """The deployment."""
        return OnlineDeployment(name, "succeeded", at_once=AT_ONCE)


def prepare(upstream: str) -> None:
    """Sets the outside: a key, an endpoint that is awake, its run."""
    hashed = access._hash(KEY.split("-", 2)[2])
    endpoint = Endpoint(
        id=MODEL,
        name=MODEL,
        state="awake",
        endpoint_name=MODEL,
        run=RUN,
        deployment=DEPLOYMENT,
        scoring_uri=f"{upstream}/score",
    )
    run = Run(id=RUN, name=MODEL, state="live", base_model={"name": "Phi-3-mini-4k-instruct"})
    azure: Any = outside.Azure()
    azure.online = Online()
    azure.blobs = Memory(
        {
            access.path("00000000"): msgspec.json.encode(access.Key("00000000", "bench", ["score"], hashed)),
            f"{MODEL}.json": msgspec.json.encode(endpoint),
            f"{RUN}.json": msgspec.json.encode(run),
        }
    )
    outside.use(azure)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """One route, whatever the path."""
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        found = await chat.answer(headers, {}, body)
        status, content, kind, more_headers = 200, found.body, found.kind, found.headers
    except ScoringError as error:
        status, content, kind, more_headers = error.status, msgspec.json.encode(error.envelope()), "", error.headers
    pairs = {"content-type": kind or "application/json", "content-length": str(len(content)), **more_headers}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})


if __name__ == "__main__":
    import uvicorn

    prepare(sys.argv[2])
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="error",
        access_log=False,
        lifespan="off",
        http="httptools",
    )
