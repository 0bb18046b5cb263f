"""The clock: what should be true now, and which endpoints nobody uses."""

import logging
import os

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("reconcile")
@blueprint.timer_trigger(
    arg_name="timer", schedule=os.environ.get("DROPTUNE_RECONCILE_SCHEDULE", "0 */5 * * * *"), run_on_startup=False
)
def reconcile(timer: func.TimerRequest) -> None:
    """Asks for a look at everything that is not at rest and overdue."""
    from shared.lifecycle.reconcile import reconcile as look

    logging.info("reconcile: %d looks asked for", look())


@blueprint.function_name("idle_teardown")
@blueprint.timer_trigger(
    arg_name="timer", schedule=os.environ.get("DROPTUNE_IDLE_SCHEDULE", "30 */5 * * * *"), run_on_startup=False
)
def idle_teardown(timer: func.TimerRequest) -> None:
    """Asks for a look at every endpoint that is awake."""
    from shared.lifecycle.reconcile import look_at_awake

    logging.info("idle_teardown: %d endpoints to look at", look_at_awake())
