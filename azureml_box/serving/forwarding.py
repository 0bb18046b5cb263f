"""Passes one request on to a deployment's container, and turns its failures into the endpoint's."""

from __future__ import annotations

import asyncio

import aiohttp
from starlette.responses import Response

from azureml_box.serving.keeper import Keeper

_PASSED = ("content-type", "x-ms-run-fn-exec-ms", "x-ms-run-function-failed")


class RefusedError(Exception):
    """An answer other than the model's."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers or {}


async def forward(keeper: Keeper, body: bytes) -> Response:
    """The container's answer: 200 as it is, anything else as 424; raises RefusedError where there is none."""
    process = keeper.process
    if process is None:
        raise model_error(503, "The deployment's container is not ready.")
    headers = {"Content-Type": "application/json"}
    try:
        async with asyncio.timeout(keeper.launch.request_timeout):
            async with process.session.post("/score", data=body, headers=headers) as answer:
                content = await answer.read()
    except TimeoutError:
        limit = f"{keeper.launch.request_timeout * 1000:.0f} ms"
        raise RefusedError(
            408, "RequestTimeout", f"The model took longer than the request timeout of {limit}."
        ) from None
    except (aiohttp.ClientError, OSError, RuntimeError) as error:
        raise model_error(502, f"The deployment's container broke the connection: {type(error).__name__}.") from None
    passed = {name: answer.headers[name] for name in _PASSED if name in answer.headers}
    if answer.status == 200:
        return Response(content, 200, passed)
    return Response(content, 424, passed | _model_headers(answer.status, answer.reason or "error"))


def _model_headers(status: int, reason: str) -> dict[str, str]:
    return {"ms-azureml-model-error-statuscode": str(status), "ms-azureml-model-error-reason": reason}


def model_error(status: int, reason: str) -> RefusedError:
    """A failure of the container, as the endpoint shows it."""
    return RefusedError(424, "ModelError", reason, _model_headers(status, reason))
