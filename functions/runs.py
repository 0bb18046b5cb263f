"""Runs, endpoints and money over HTTP: what the command line shows, as JSON."""

from __future__ import annotations

from typing import Any

import azure.functions as func

from functions.http import guarded, problem

blueprint = func.Blueprint()


@blueprint.function_name("runs")
@blueprint.route(route="runs", methods=["GET"])
def runs(req: func.HttpRequest) -> func.HttpResponse:
    """All runs, newest first; `name` and `state` narrow them."""
    from shared.lifecycle import views

    return guarded(req, "read", lambda: {"runs": views.runs(req.params.get("name", ""), req.params.get("state", ""))})


@blueprint.function_name("run")
@blueprint.route(route="runs/{id}", methods=["GET"])
def run(req: func.HttpRequest) -> func.HttpResponse:
    """One run by id, unambiguous prefix, or name (its newest)."""
    from shared.lifecycle import commands

    return guarded(req, "read", lambda: commands.find(req.route_params["id"]))


@blueprint.function_name("run_command")
@blueprint.route(route="runs/{id}/{command}", methods=["POST"])
def run_command(req: func.HttpRequest) -> func.HttpResponse:
    """`cancel` or `retry`."""
    from shared.lifecycle import commands

    return _command(req, {"cancel": commands.cancel, "retry": commands.retry}, req.route_params["id"])


@blueprint.function_name("endpoints")
@blueprint.route(route="endpoints", methods=["GET"])
def endpoints(req: func.HttpRequest) -> func.HttpResponse:
    """All endpoints with their state, traffic and money."""
    from shared.lifecycle import views
    from shared.runs import store

    return guarded(req, "read", lambda: {"endpoints": [views.endpoint_json(one) for one in store.all_of("endpoint")]})


@blueprint.function_name("endpoint")
@blueprint.route(route="endpoints/{name}", methods=["GET"])
def endpoint(req: func.HttpRequest) -> func.HttpResponse:
    """One endpoint by the dataset's name."""
    from shared.lifecycle import commands

    return guarded(req, "read", lambda: commands.endpoint(req.route_params["name"]))


@blueprint.function_name("endpoint_command")
@blueprint.route(route="endpoints/{name}/{command}", methods=["POST"])
def endpoint_command(req: func.HttpRequest) -> func.HttpResponse:
    """`sleep`, `wake`, `keep` (awake, `for` a duration) or `rollback`."""
    from shared.lifecycle import commands, rollback

    known = {
        "sleep": commands.sleep,
        "wake": commands.wake,
        "keep": lambda name: commands.keep(name, req.params.get("for", commands.KEEP)),
        "rollback": rollback.rollback,
    }
    return _command(req, known, req.route_params["name"])


@blueprint.function_name("cost")
@blueprint.route(route="cost", methods=["GET"])
def cost(req: func.HttpRequest) -> func.HttpResponse:
    """What ran, what it cost, what sleeping saved, what bills now and why."""
    from shared.lifecycle import views

    return guarded(req, "read", lambda: views.cost(req.params.get("since", "")))


@blueprint.function_name("problems")
@blueprint.route(route="problems", methods=["GET"])
def problems(req: func.HttpRequest) -> func.HttpResponse:
    """What belongs to no run and must be seen: broken records, strange messages, orphans that were removed."""
    from shared.lifecycle import problems as notes

    return guarded(req, "read", lambda: {"problems": notes.listed()})


def _command(req: func.HttpRequest, known: dict[str, Any], subject: str) -> func.HttpResponse:
    call = known.get(req.route_params["command"])
    if call is None:
        return problem(404, "not_found", f"known commands are {', '.join(known)}")
    return guarded(req, "operate", lambda: call(subject), 202)
