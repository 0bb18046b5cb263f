"""A job changed its state: ask for a look at its run."""

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("job_changed")
@blueprint.event_grid_trigger(arg_name="event")
def job_changed(event: func.EventGridEvent) -> None:
    """`RunCompleted` and `RunStatusChanged`: steps of a pipeline and other people's jobs are passed over."""
    data = event.get_json()
    from shared.lifecycle.intake import job_changed as changed

    changed(str(data.get("runId", "")) if isinstance(data, dict) else "")
