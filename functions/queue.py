"""The work queue: one message, one step of one record."""

import logging
import os

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("advance_run")
@blueprint.queue_trigger(
    arg_name="message",
    queue_name=os.environ.get("DROPTUNE_QUEUE", "droptune-work"),
    connection="AzureWebJobsStorage",
)
def advance_run(message: func.QueueMessage) -> None:
    """Takes one step; what it raises brings the message back."""
    from shared.lifecycle.advance import advance

    body = message.get_body()
    told = advance(body, message.dequeue_count or 1)
    logging.info("advance_run: %s: %s", body.decode("utf-8", "replace")[:200], told)
