"""A managed identity's token endpoint, for those who have none: `DefaultAzureCredential` finds it by the environment.

Source: learn.microsoft.com/azure/app-service/overview-managed-identity (REST endpoint reference).
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azureml_box.tokens import sign

if TYPE_CHECKING:
    from azureml_box.context import Box

_VERSIONS = ("2017-09-01", "2019-08-01")
_IDENTITY = "33333333-0000-4000-8000-000000000001"


def routes(box: Box) -> list[Route]:
    """GET /identity/token, where the emulator has a signing key and the header's secret; else none."""
    config = box.config
    if config.identity_header is None or config.signing_key is None:
        return []
    header, key = config.identity_header, config.signing_key.read_bytes()

    async def token(request: Request) -> Response:
        """A token for a `resource`, to whoever sends the secret header."""
        given = request.headers.get("x-identity-header", "")
        if not hmac.compare_digest(given.encode(), header.encode()):
            return _refuse(401, "the header X-IDENTITY-HEADER is missing or wrong; export IDENTITY_HEADER again")
        resource = request.query_params.get("resource")
        if request.query_params.get("api-version") not in _VERSIONS or not resource:
            return _refuse(400, f"resource and api-version ({', '.join(_VERSIONS)}) must be given")
        value, expires = sign(key, config.tenant, _IDENTITY, resource)
        return JSONResponse(
            {"access_token": value, "expires_on": str(expires), "resource": resource, "token_type": "Bearer"}
        )

    return [Route("/identity/token", token)]


def _refuse(status: int, message: str) -> Response:
    return JSONResponse({"statusCode": status, "message": message}, status_code=status)
