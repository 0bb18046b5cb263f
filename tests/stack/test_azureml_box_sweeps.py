"""Sweeps as the unmodified azure-ai-ml SDK submits them: trials really run, log a metric, and the best is found."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator_rig import ENVIRONMENT, PLAIN, WORKSPACE, Rig, ended, started, written

pytestmark = pytest.mark.stack

TRAIN = """
import json, os, ssl, sys, time, urllib.request
url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
def log(value, step):
    point = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "acc", "value": value, "timestamp": 1, "step": step}
    request = urllib.request.Request(url, json.dumps(point).encode(), headers)
    urllib.request.urlopen(request, context=context, timeout=10).read()
rate, out, steps, pause = float(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
for step in range(steps):
    log(rate, step)
    time.sleep(pause)
open(out + "/rate.txt", "w").write(str(rate))
"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("sweeps"))
    rig.publish(*PLAIN)
    with started(rig):
        yield rig


@pytest.fixture(scope="module")
def client(rig: Rig) -> Any:
    return rig.client()


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("code")
    (folder / "train.py").write_text(TRAIN)
    return str(folder)


def trial(code: str, steps: int = 1, pause: float = 0) -> Any:
    from azure.ai.ml import Output, command

    return command(
        code=code,
        command=f"python train.py ${{{{inputs.rate}}}} ${{{{outputs.model}}}} {steps} {pause}",
        environment=ENVIRONMENT,
        inputs={"rate": 0.5},
        outputs={"model": Output(type="uri_folder")},
    )


def swept(made: Any, values: list[float], sampling: Any = "grid", goal: str = "maximize", **options: Any) -> Any:
    from azure.ai.ml.sweep import Choice

    sweep = made(rate=Choice(values)).sweep(primary_metric="acc", goal=goal, sampling_algorithm=sampling, **options)
    sweep.set_limits(max_total_trials=4, max_concurrent_trials=2, timeout=120)
    return sweep


def trials(client: Any, job: str) -> dict[str, Any]:
    return {child.name: child for child in client.jobs.list(parent_job_name=job)}


def test_every_trial_is_a_child_job_and_the_best_gives_its_output(
    rig: Rig, client: Any, code: str, tmp_path: Path
) -> None:
    sent = client.jobs.create_or_update(swept(trial(code), [0.2, 0.9, 0.4]))
    job = ended(client, sent.name)

    assert job.status == "Completed", rig.failure(job.name)
    assert job.type == "sweep" and job.objective.primary_metric == "acc"
    children = trials(client, job.name)
    assert set(children) == {f"{job.name}_{number}" for number in range(3)}
    assert {child.status for child in children.values()} == {"Completed"}
    best = children[job.properties["best_child_run_id"]]
    assert json.loads(best.tags["hyperparameters"]) == {"rate": 0.9}
    assert job.properties["score"] == "0.9" and job.properties["space_size"] == "3"
    assert json.loads(job.properties["primary_metric_config"]) == {"name": "acc", "goal": "maximize"}

    client.jobs.download(job.name, download_path=tmp_path, all=True)
    assert (tmp_path / "named-outputs/model/rate.txt").read_text() == "0.9"
    assert "All jobs generated" in (tmp_path / "hd-artifacts/azureml-logs/hyperdrive.txt").read_text()


def test_a_sweep_is_a_node_of_a_pipeline_and_its_best_output_goes_on(rig: Rig, client: Any, code: str) -> None:
    from azure.ai.ml import Input, Output, command
    from azure.ai.ml.dsl import pipeline

    after = command(
        command="cp ${{inputs.model}}/rate.txt ${{outputs.out}}/",
        environment=ENVIRONMENT,
        inputs={"model": Input(type="uri_folder")},
        outputs={"out": Output(type="uri_folder")},
    )

    @pipeline(name="tuned", default_compute="serverless")
    def build() -> dict[str, Any]:
        tune = swept(trial(code), [0.7, 0.1, 0.3], "random", goal="minimize")
        tune.set_limits(max_total_trials=2, max_concurrent_trials=1)
        last = after(model=tune.outputs.model)
        return {"best": tune.outputs.model, "last": last.outputs.out}

    job = ended(client, client.jobs.create_or_update(build()).name)
    assert job.status == "Completed", rig.failure(job.name)
    steps = {child.display_name: child for child in client.jobs.list(parent_job_name=job.name)}
    tune = client.jobs.get(steps["tune"].name)
    assert tune.type == "sweep" and tune.limits.max_total_trials == 2 and tune.sampling_algorithm.type == "random"
    children = trials(client, tune.name)
    rates = {name: json.loads(child.tags["hyperparameters"])["rate"] for name, child in children.items()}
    best = tune.properties["best_child_run_id"]
    assert len(children) == 2 and rates[best] == min(rates.values())
    handed = rig.home / "azureml/jobs" / steps["last"].name / "outputs/out/rate.txt"
    assert float(handed.read_text()) == rates[best]
    document = rig.ask("GET", f"{WORKSPACE}/jobs/{job.name}?api-version=2025-01-01-preview")[1]
    assert f"azureml/{best}/model" in document["properties"]["outputs"]["best"]["uri"]


def test_a_trial_that_falls_behind_is_stopped(rig: Rig, client: Any, code: str) -> None:
    from azure.ai.ml.sweep import BanditPolicy

    sweep = swept(
        trial(code, 100, 0.2), [0.9, 0.1], early_termination_policy=BanditPolicy(slack_amount=0.2, delay_evaluation=2)
    )
    name = client.jobs.create_or_update(sweep).name
    behind = ended(client, f"{name}_1") if waits(client, name) else None
    assert behind is not None and behind.status == "Canceled" and "early termination" in rig.failure(behind.name)
    assert client.jobs.get(f"{name}_0").status == "Running"
    client.jobs.begin_cancel(name).wait()
    assert client.jobs.get(name).status == client.jobs.get(f"{name}_0").status == "Canceled"


def waits(client: Any, name: str) -> bool:
    """Until both trials are there."""
    stops = time.monotonic() + 20
    while len(trials(client, name)) < 2:
        assert time.monotonic() < stops
        time.sleep(0.1)
    return True


def test_one_trial_is_cancelled_alone_and_the_sweep_goes_on(rig: Rig, client: Any, tmp_path: Path) -> None:
    from azure.ai.ml import command

    made = command(
        command=f"echo $$ > {tmp_path}/${{{{inputs.rate}}}}; [ ${{{{inputs.rate}}}} = 1 ] && exec sleep 60; exit 0",
        environment=ENVIRONMENT,
        inputs={"rate": 1},
    )
    name = client.jobs.create_or_update(swept(made, [1, 2])).name
    written(tmp_path / "1")
    client.jobs.begin_cancel(f"{name}_0").wait()
    job = ended(client, name)
    assert job.status == "Completed" and "best_child_run_id" not in job.properties  # nobody logged the metric
    assert [child.status for _, child in sorted(trials(client, name).items())] == ["Canceled", "Completed"]


def test_a_sweep_without_a_trial_that_completes_fails(rig: Rig, client: Any) -> None:
    from azure.ai.ml import command

    made = command(command="echo ${{inputs.rate}} is no good >&2; exit 3", environment=ENVIRONMENT, inputs={"rate": 1})
    job = ended(client, client.jobs.create_or_update(swept(made, [1, 2])).name)
    assert job.status == "Failed" and "exit code 3: 1 is no good" in rig.failure(job.name)


def test_a_sweep_goes_on_after_the_emulator_died(rig: Rig, client: Any, tmp_path: Path) -> None:
    from azure.ai.ml import command

    made = command(
        command=f"echo ran >> {tmp_path}/${{{{inputs.rate}}}}; sleep 2", environment=ENVIRONMENT, inputs={"rate": 1}
    )
    name = client.jobs.create_or_update(swept(made, [1, 2, 3], "random")).name
    waits(client, name)
    time.sleep(0.5)
    rig.end("azureml", signal.SIGKILL)
    rig.start_emulator()
    job = ended(client, name)
    assert job.status == "Completed", rig.failure(name)
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["ran\n"] * 3
