"""A file that `droptune doctor` dropped: says that its event arrived."""

import azure.functions as func

blueprint = func.Blueprint()
PREFIX = "/blobServices/default/containers/canary/blobs/"
SUFFIX = ".canary"


@blueprint.function_name("canary")
@blueprint.event_grid_trigger(arg_name="event")
def canary(event: func.EventGridEvent) -> None:
    """`Microsoft.Storage.BlobCreated` of a canary: writes beside it that it was seen."""
    subject = str(event.subject or "")
    if not subject.startswith(PREFIX) or not subject.endswith(SUFFIX):
        return
    from shared.canary import seen

    seen(subject.removeprefix(PREFIX))
