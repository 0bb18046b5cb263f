"""Is everything there? No key, no secrets."""

import azure.functions as func

from functions.http import reply

blueprint = func.Blueprint()


@blueprint.function_name("health")
@blueprint.route(route="health", methods=["GET"])
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 with versions, or 503 with what is missing."""
    from shared.health import report

    document = report()
    return reply(document, 503 if document["missing"] else 200)
