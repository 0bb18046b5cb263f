"""Asking a model over HTTP: the notebook's body, and OpenAI's chat body."""

from __future__ import annotations

import asyncio
from typing import Any

import azure.functions as func

from functions.http import denied, guarded, problem

blueprint = func.Blueprint()


@blueprint.function_name("score")
@blueprint.route(route="score/{name}", methods=["POST"])
async def score(req: func.HttpRequest) -> func.HttpResponse:
    """The notebook's body to the endpoint, its answer unchanged."""
    from shared.endpoints.raw import checked
    from shared.endpoints.scoring import ScoringError, ask

    try:
        if refused := await asyncio.to_thread(denied, req, "score"):
            return refused
        answer = await ask(req.route_params["name"], checked(req.get_body()))
    except ScoringError as error:
        return _failed(error)
    return func.HttpResponse(answer, mimetype="application/json")


@blueprint.function_name("chat_completions")
@blueprint.route(route="v1/chat/completions", methods=["POST"])
async def chat_completions(req: func.HttpRequest) -> func.HttpResponse:
    """OpenAI's contract, for an unmodified client with only `base_url` and `api_key` set."""
    from shared.endpoints.chat import complete
    from shared.endpoints.scoring import ScoringError

    try:
        if refused := await asyncio.to_thread(denied, req, "score"):
            return refused
        body, kind = await complete(req.get_body())
    except ScoringError as error:
        return _failed(error)
    return func.HttpResponse(body, mimetype=kind, headers={"x-droptune-usage": "estimate"})


@blueprint.function_name("models")
@blueprint.route(route="v1/models", methods=["GET"])
def models(req: func.HttpRequest) -> func.HttpResponse:
    """The models that can be asked, in OpenAI's list."""

    def listed() -> dict[str, Any]:
        from shared.endpoints import chat

        return chat.listed()

    return guarded(req, "score", listed)


def _failed(error: Any) -> func.HttpResponse:
    return problem(error.status, error.code, error.message, field=error.field, headers=error.headers)
