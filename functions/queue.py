"""The work queue: one message, one step of one record; and the queue of messages that failed five times."""

import logging
import os

import azure.functions as func

blueprint = func.Blueprint()
QUEUE = os.environ.get("DROPTUNE_QUEUE", "droptune-work")


@blueprint.function_name("advance_run")
@blueprint.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
def advance_run(message: func.QueueMessage) -> None:
    """Takes one step; what it raises brings the message back."""
    from shared.lifecycle.advance import advance

    body = message.get_body()
    told = advance(body, message.dequeue_count or 1)
    logging.info("advance_run: %s: %s", body.decode("utf-8", "replace")[:200], told)


@blueprint.function_name("poison")
@blueprint.queue_trigger(arg_name="message", queue_name=f"{QUEUE}-poison", connection="AzureWebJobsStorage")
def poison(message: func.QueueMessage) -> None:
    """A message that failed five times: its record ends visibly."""
    from shared.lifecycle.poison import poisoned

    logging.warning("poison: %s", poisoned(message.get_body()))
