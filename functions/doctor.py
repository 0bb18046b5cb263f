"""What `droptune doctor` asks the app: may its identity do what it does?"""

import azure.functions as func

from functions.http import guarded

blueprint = func.Blueprint()


@blueprint.function_name("doctor")
@blueprint.route(route="doctor", methods=["POST"])
def doctor(req: func.HttpRequest) -> func.HttpResponse:
    """Looks at settings, identity, roles, storage and region; a POST, since it writes and deletes scraps of its own."""
    from shared.doctor.app import report

    return guarded(req, "operate", report)
