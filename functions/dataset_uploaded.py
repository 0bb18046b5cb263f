"""A blob was written: ask for a look at its folder."""

import logging

import azure.functions as func

blueprint = func.Blueprint()
PREFIX = "/blobServices/default/containers/datasets/blobs/"


@blueprint.function_name("dataset_uploaded")
@blueprint.event_grid_trigger(arg_name="event")
def dataset_uploaded(event: func.EventGridEvent) -> None:
    """`Microsoft.Storage.BlobCreated`: the event says where to look, nothing else of it is believed."""
    subject = str(event.subject or "")
    if event.event_type != "Microsoft.Storage.BlobCreated" or not subject.startswith(PREFIX):
        logging.warning("dataset_uploaded: no blob of ours: %s", event.event_type)
        return
    from shared.lifecycle.intake import blob_created

    blob_created(subject.removeprefix(PREFIX))
