"""Asking a model over HTTP: the notebook's body, and OpenAI's chat body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func

from functions.http import guarded, problem, reply

blueprint = func.Blueprint()


@blueprint.function_name("score")
@blueprint.route(route="score/{name}", methods=["POST"])
async def score(req: func.HttpRequest) -> func.HttpResponse:
    """The notebook's body to the endpoint, its answer unchanged."""

    async def answer() -> func.HttpResponse:
        from shared.endpoints import admission, patience, raw

        model = req.route_params["name"]
        await admission.may_ask(await admission.admit(req.headers, req.params), model)
        wait = patience.preferred_wait(req.headers.get("prefer", ""))
        return func.HttpResponse(await raw.score(model, req.get_body(), wait), mimetype="application/json")

    return await _answered(answer)


@blueprint.function_name("chat_completions")
@blueprint.route(route="v1/chat/completions", methods=["POST"])
async def chat_completions(req: func.HttpRequest) -> func.HttpResponse:
    """OpenAI's contract, for an unmodified client with only `base_url` and `api_key` set."""

    async def answer() -> func.HttpResponse:
        from shared.endpoints import chat

        found = await chat.answer(req.headers, req.params, req.get_body())
        return func.HttpResponse(found.body, mimetype=found.kind, headers=found.headers)

    return await _answered(answer)


@blueprint.function_name("models")
@blueprint.route(route="v1/models", methods=["GET"])
def models(req: func.HttpRequest) -> func.HttpResponse:
    """The models that can be asked, in OpenAI's list."""

    def listed() -> dict[str, Any]:
        from shared.endpoints import catalogue

        return catalogue.listed(req.headers, req.params)

    return guarded(req, "score", listed)


@blueprint.function_name("model")
@blueprint.route(route="v1/models/{id}", methods=["GET"])
async def model(req: func.HttpRequest) -> func.HttpResponse:
    """One model: `NAME`, or `NAME@RUN`."""

    async def answer() -> func.HttpResponse:
        from shared.endpoints import catalogue

        return reply(await catalogue.one(req.headers, req.params, req.route_params["id"]))

    return await _answered(answer)


async def _answered(answer: Callable[[], Awaitable[func.HttpResponse]]) -> func.HttpResponse:
    from shared.endpoints.refusals import ScoringError

    try:
        return await answer()
    except ScoringError as error:
        return problem(error.status, error.code, error.message, field=error.field, headers=error.headers)
