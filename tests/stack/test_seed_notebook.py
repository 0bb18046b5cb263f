"""The notebook that this project automates, cell by cell, against an emulator that its environment alone points to."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lone_emulator import lone

from azureml_box.alone.emulator import NAME, SUBSCRIPTION, Emulator
from local.registry.build import build

pytestmark = [pytest.mark.stack, pytest.mark.filterwarnings("ignore")]

HANDOUT = Path(__file__).parent / "fixtures" / "seed_notebook"
ILLUSTRATIONS = {4}  # a row of the dataset with comments: JSON of a kind, not code
CLUSTER = """\
compute_cluster_size = "Standard_NC24ads_A100_v4"
compute_cluster = "gpu-cluster-big"
try:
    compute = workspace_ml_client.compute.get(compute_cluster)
except Exception:
    try:
        compute = AmlCompute(name=compute_cluster, size=compute_cluster_size, tier="Dedicated", max_instances=2)
        workspace_ml_client.compute.begin_create_or_update(compute).wait()
    except Exception as e:
"""
BROKEN_OFF = """\
# Print the exception message
print(e)
# Raise a ValueError if the compute size is not available in the workspace
raise ValueError(
    f"WARNING! Compute size {compute_cluster_size} not available in workspace"
)
"""


@dataclass(frozen=True)
class Change:
    """One thing that a reader of the hand-out has to change: in a cell, the old words by the new ones, and why."""

    cell: int
    old: str
    new: str
    why: str


CHANGES = (
    Change(0, "<SUBSCRIPTION_ID>", SUBSCRIPTION, "a name"),
    Change(0, "<RESOURCE_GROUP>", NAME, "a name"),
    Change(0, "<WORKSPACE_NAME>", NAME, "a name"),
    Change(1, "Phi-3-mini-4k-instruct", "tiny-random-chat", "a name: this one trains in a second"),
    Change(
        3,
        BROKEN_OFF,
        CLUSTER + "".join(f"        {line}\n" for line in BROKEN_OFF.splitlines()),
        "the hand-out lost the beginning of this cell: it makes the cluster that the prose speaks of",
    ),
    Change(
        9,
        "**finetune_parameters",
        "**{k: v for k, v in finetune_parameters.items() if k in pipeline_component_func.inputs}",
        "model_specific_defaults has keys that are no inputs of today's pipeline: learning_rate_min and _max",
    ),
)


def cells() -> list[str]:
    """The cells as they are handed out."""
    return re.findall(r"^```python\n(.*?)^```$", (HANDOUT / "cells.txt").read_text(encoding="utf-8"), re.S | re.M)


def changed(number: int, text: str) -> str:
    """A cell with its changes; each must have something to change."""
    for change in CHANGES:
        if change.cell == number:
            assert text.count(change.old) == 1, f"cell {number} has no {change.old!r} to change ({change.why})"
            text = text.replace(change.old, change.new)
    return text


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator that publishes the registry `azureml`, and nothing but its environment in this process."""
    registry = build(tmp_path / "registry")
    with lone(tmp_path, f"--registry=azureml={registry}") as one, pytest.MonkeyPatch.context() as patch:
        for name, value in one.environment.items():
            patch.setenv(name, value)
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        yield one


def run(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The whole notebook in a folder of its own; returns its variables."""
    shutil.copy(HANDOUT / "download-dataset.py", folder)
    patch.chdir(folder)
    variables: dict[str, Any] = {"__name__": "__main__"}
    for number, text in enumerate(cells()):
        if number not in ILLUSTRATIONS:
            exec(compile(changed(number, text), f"<cell {number}>", "exec"), variables)
    return variables


def test_the_notebook_runs_from_its_first_cell_to_its_last(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notebook").mkdir()
    made = run(tmp_path / "notebook", monkeypatch)
    client, printed = made["workspace_ml_client"], capfd.readouterr().out
    assert made["gpus_per_node"] == 1 and len(made["df"]) == 40
    assert client.jobs.get(made["pipeline_job"].name).status == "Completed"
    losses = [float(value) for value in re.findall(r"\beval_loss ([\d.]+)", finetune_log(client, made, tmp_path))]
    assert len(losses) == 2 and losses[-1] < losses[0], losses
    assert made["registered_model"].version == made["timestamp"]
    assert "/datastores/workspaceblobstore/paths/" in made["registered_model"].path
    assert "Execution Summary" in printed, "jobs.stream follows the job to its end"
    assert client.jobs.get(made["pipeline_job"].name).studio_url.count("&tid=") == 1, "the SDK appends the tenant"
    (answer,) = json.loads(made["response"])
    assert isinstance(answer["0"], str) and answer["0"]
    assert list(client.online_endpoints.list()) == []


def finetune_log(client: Any, made: dict[str, Any], folder: Path) -> str:
    """What the step that trains wrote."""
    (inner,) = client.jobs.list(parent_job_name=made["pipeline_job"].name)
    steps = {job.display_name: job.name for job in client.jobs.list(parent_job_name=inner.name)}
    client.jobs.download(steps["chat_completion_finetune"], download_path=folder / "finetune")
    return "".join(path.read_text(encoding="utf-8") for path in (folder / "finetune").rglob("std_log.txt"))


def test_without_the_filter_the_service_refuses_the_defaults_of_today(emulator: Emulator) -> None:
    """The change to cell 9 is needed, and no more than that: the other keys are inputs."""
    import ast

    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    registry = MLClient(DefaultAzureCredential(), registry_name="azureml")
    model = registry.models.get("tiny-random-chat", label="latest")
    component = registry.components.get("chat_completion_pipeline", label="latest")
    defaults = ast.literal_eval(model.tags["model_specific_defaults"])
    assert [key for key in defaults if key not in component.inputs] == ["learning_rate_min", "learning_rate_max"]
    with pytest.raises(Exception, match="learning_rate_min"):
        component(mlflow_model_path=model.id, **defaults)
