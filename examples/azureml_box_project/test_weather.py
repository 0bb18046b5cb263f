"""The project's tests: Azure Machine Learning is emulated, everything else is real."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import weather

MEASURED = "1,10.0\n2,11.0\n3,broken\n4,13.0\n"


@pytest.fixture
def client(azureml_box: Any) -> Any:
    return azureml_box.client()


def write(folder: Path, text: str) -> Path:
    (folder / "measured.csv").write_text(text)
    return folder / "measured.csv"


def status_when(client: Any, job: str, *wanted: str) -> str:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        status: str = client.jobs.get(job).status
        if status in wanted:
            return status
        time.sleep(0.2)
    raise AssertionError(f"{job} is {status}")


def test_the_pipeline_runs_and_its_line_is_registered(client: Any, tmp_path: Path) -> None:
    weather.ensure_cluster(client)
    job = weather.submit(client, write(tmp_path, MEASURED))
    assert status_when(client, job, "Completed", "Failed") == "Completed"
    client.jobs.download(job, download_path=tmp_path, output_name="line")
    assert json.loads(next(tmp_path.rglob("line.json")).read_text()) == {"slope": 1.0, "start": 9.0}
    assert weather.register(client, job).version == "1"


def test_measurements_without_a_number_fail_the_step_that_fits(client: Any, tmp_path: Path) -> None:
    weather.ensure_cluster(client)
    job = weather.submit(client, write(tmp_path, "1,none\n"))
    assert status_when(client, job, "Completed", "Failed") == "Failed"
    steps = {step.display_name: step.status for step in client.jobs.list(parent_job_name=job)}
    assert steps == {"cleaned": "Completed", "fitted": "Failed"}


def test_a_throttled_service_is_asked_again(client: Any, azureml_box: Any) -> None:
    azureml_box.control.add_fault(name="throttled", path="computes/*", times=2)
    weather.ensure_cluster(client)
    answers = [call["answered"] for call in azureml_box.control.calls(path="/computes/")]
    assert answers[:3] == [429, 429, 201]


def test_a_cluster_beyond_the_quota_is_told_in_azures_words(client: Any, azureml_box: Any) -> None:
    azureml_box.control.add_fault(name="compute_quota_exceeded")
    with pytest.raises(Exception, match="quota limits of Core"):
        weather.ensure_cluster(client)
    assert azureml_box.control.faults()["fired"][0]["name"] == "compute_quota_exceeded"


@pytest.mark.azureml_box("--provisioning=jobs=manual")
def test_a_job_stays_queued_until_the_test_says_so(client: Any, azureml_box: Any, tmp_path: Path) -> None:
    weather.ensure_cluster(client)
    job = weather.submit(client, write(tmp_path, MEASURED))
    step = None
    while not step:
        step = next((child for child in client.jobs.list(parent_job_name=job) if child.status == "Queued"), None)
    assert [one["name"] for one in azureml_box.control.advance("jobs")] == [step.name]
    assert status_when(client, step.name, "Completed") == "Completed"
    client.jobs.begin_cancel(job).result()
