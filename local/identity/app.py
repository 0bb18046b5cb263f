"""App Service's identity endpoint as an ASGI application.

Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity (REST endpoint reference).
"""

import hmac
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.identity.tokens import Signer, TokenCache

API_VERSIONS = ("2017-09-01", "2019-08-01")


def application(signer: Signer, header: str) -> Starlette:
    """Build the service; `header` is the secret that callers must send as X-IDENTITY-HEADER."""
    cache = TokenCache(signer)

    async def token(request: Request) -> Response:
        given = request.headers.get("x-identity-header") or request.headers.get("secret") or ""
        if not hmac.compare_digest(given.encode(), header.encode()):
            return _refuse(401, "the header X-IDENTITY-HEADER is missing or wrong; export IDENTITY_HEADER again")
        version, resource = request.query_params.get("api-version"), request.query_params.get("resource")
        if version not in API_VERSIONS:
            return _refuse(400, f"api-version must be one of {', '.join(API_VERSIONS)}")
        if not resource:
            return _refuse(400, "the parameter resource is missing")
        value, expires = cache.get(resource, time.time())
        return JSONResponse(
            {"access_token": value, "expires_on": str(expires), "resource": resource, "token_type": "Bearer"}
        )

    async def keys(_: Request) -> Response:
        return JSONResponse(signer.key_set())

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[Route("/identity/token", token), Route("/identity/keys", keys), Route("/healthz", healthz)]
    )


def _refuse(status: int, message: str) -> Response:
    return JSONResponse({"statusCode": status, "message": message}, status_code=status)
