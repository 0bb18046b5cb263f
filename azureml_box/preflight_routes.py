"""Preflight: whether the resources of an ARM template would be taken, as `components.validate` asks for one component.

Answers: ARM reference, Microsoft.Resources/deployments/validate (200 with the template's properties, else 400 with details).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azureml_box.asset_kinds import KINDS
from azureml_box.errors import ArmError, BadRequest, NotImplementedHere
from azureml_box.http import body, json

if TYPE_CHECKING:
    from azureml_box.context import Box

_PREFIX = "Microsoft.MachineLearningServices/workspaces/"


def routes(box: Box) -> list[Route]:
    """POST …/deployments/{name}/validate; nothing is deployed."""

    async def validate(request: Request) -> Response:
        sent = (await body(request)).get("properties") or {}
        resources = (sent.get("template") or {}).get("resources") or []
        found = [error for resource in resources if (error := await _error(box, request, resource))]
        return _refused(found) if found else json(_valid(request, sent))

    path = f"{box.config.group_scope}/providers/Microsoft.Resources/deployments/{{deployment}}/validate"
    return [Route(path, validate, methods=["POST"])]


async def _error(box: Box, request: Request, resource: dict[str, Any]) -> ArmError | None:
    kind = str(resource.get("type", "")).removeprefix(_PREFIX).removesuffix("/versions")
    if kind not in KINDS:
        raise NotImplementedHere(request.method, f"{request.url.path} for {resource.get('type')}")
    parts = str(resource.get("name", "")).split("/")
    if len(parts) != 3:
        return BadRequest(f"{resource.get('name')!r} is no WORKSPACE/NAME/VERSION.", "InvalidTemplate", "name")
    try:
        await KINDS[kind][0](box, parts[1], parts[2], resource.get("properties") or {})
    except ArmError as error:
        return error
    return None


def _refused(found: list[ArmError]) -> Response:
    error = ArmError(400, "InvalidTemplateDeployment", "The template deployment failed with error.")
    details = [one.envelope()["error"] for one in found]
    return JSONResponse({"error": {**error.envelope()["error"], "details": details}}, status_code=400)


def _valid(request: Request, sent: dict[str, Any]) -> dict[str, Any]:
    mode = sent.get("mode") or "Incremental"
    return {
        "name": request.path_params["deployment"],
        "type": "Microsoft.Resources/deployments",
        "properties": {"mode": mode, "provisioningState": "Succeeded", "parameters": sent.get("parameters") or {}},
    }
