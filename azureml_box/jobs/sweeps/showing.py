"""What the documents of a sweep and its trials show.

Names of the properties: recorded runs of the service (`primary_metric_config`, `runTemplate`, `azureml.runsource`, `platform`,
`space_size`, `best_child_run_id`, `score`, `best_metric_status`, `best_data_container_id`); `best_child_run_id` is what
`jobs.download` of azure-ai-ml follows.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azureml_box.jobs import describe, documents, logs
from azureml_box.jobs.plan import Step
from azureml_box.jobs.sweeps import spaces
from azureml_box.jobs.sweeps.definition import Sweep

if TYPE_CHECKING:
    from azureml_box.context import Box

_POLICIES = {"bandit": "Bandit", "medianstopping": "MedianStopping", "truncationselection": "TruncationSelection"}


def opening(sweep: Sweep) -> dict[str, str]:
    """The properties that a sweep has from its beginning."""
    size = spaces.size(sweep.space)
    return {
        "primary_metric_config": json.dumps({"name": sweep.metric, "goal": sweep.goal}, separators=(",", ":")),
        "resume_from": "null",
        "runTemplate": "HyperDrive",
        "azureml.runsource": "hyperdrive",
        "platform": "AML",
        "space_size": "infinite_space_size" if size is None else str(size),
    }


def closing(best: str, score: float) -> dict[str, str]:
    """The properties that name the best trial."""
    return {
        "best_child_run_id": best,
        "score": repr(score),
        "best_metric_status": "Succeeded",
        "best_data_container_id": f"dcid.{best}",
    }


def node(sweep: Sweep, found: Step, shown: dict[str, Any]) -> dict[str, Any]:
    """The job of a pipeline's sweep node, from what its command would show."""
    trial = {name: shown.pop(name) for name in ("command", "environmentId")}
    limits: dict[str, Any] = {"jobLimitsType": "Sweep", "maxTotalTrials": sweep.most}
    limits["maxConcurrentTrials"] = sweep.at_once
    for name, value in (("timeout", sweep.timeout), ("trialTimeout", sweep.trial_timeout)):
        limits |= {name: f"PT{value:g}S"} if value else {}
    return {
        **shown,
        "jobType": "Sweep",
        "trial": {**trial, "environmentVariables": found.environment_variables, "resources": {"instanceCount": 1}},
        "searchSpace": {name: values.wire() for name, values in sweep.space.items()},
        "samplingAlgorithm": {"samplingAlgorithmType": sweep.algorithm.capitalize(), "seed": sweep.seed},
        "objective": {"goal": sweep.goal, "primaryMetric": sweep.metric},
        "limits": limits,
        "earlyTermination": _policy(sweep),
        "properties": {**shown["properties"], **opening(sweep)},
    }


def make_trial(box: Box, step: Step, name: str, sweep_run: str, values: dict[str, Any]) -> None:
    """The document of a trial, unless a former emulator has made it."""
    if box.store.get(documents.KIND, name) is not None:
        return
    parent = documents.get(box, sweep_run)
    shown = describe.step(box, step, name, parent["_root"], parent.get("_datastore") or "")
    shown |= {
        "displayName": name,
        "experimentName": parent["properties"]["experimentName"],
        "componentId": step.component.id or None,
        "tags": {"hyperparameters": json.dumps(values)},
        "properties": {"azureml.runsource": "hyperdrive"},
    }
    doc = documents.make(box, name, shown, parent=sweep_run, root=parent["_root"])
    box.store.put(documents.KIND, name, {**doc, "_datastore": parent.get("_datastore")})


def tell(box: Box, run: str, part: str, text: str) -> None:
    """Adds a line to the sweep's log, in the words of the service's parts."""
    path = box.jobs.folder(run) / logs.SWEEP
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"[{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}][{part}][INFO]{text}\n")


def _policy(sweep: Sweep) -> dict[str, Any] | None:
    if sweep.policy is None:
        return None
    said = asdict(sweep.policy)
    names = {"delay": "delayEvaluation", "interval": "evaluationInterval"}
    if sweep.policy.kind == "bandit":
        names |= {"slack_factor": "slackFactor", "slack_amount": "slackAmount"}
    if sweep.policy.kind == "truncationselection":
        names["percentage"] = "truncationPercentage"
    return {"policyType": _POLICIES[sweep.policy.kind], **{wire: said[name] for name, wire in names.items()}}
