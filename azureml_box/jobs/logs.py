"""The logs of a job, by the names that Azure gives them.

A command writes `user_logs/std_log.txt`; a pipeline has `logs/azureml/executionlogs.txt`, which `jobs.stream` shows (the
patterns are `JobLogPattern` of azure-ai-ml 1.35; the words are those that streamed pipelines print). A job whose environment
was built has `azureml-logs/20_image_build_log.txt`, a sweep `azureml-logs/hyperdrive.txt`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_box import datastores
from azureml_box.cache import link_or_copy, link_tree

if TYPE_CHECKING:
    from azureml_box.context import Box

BUILD, SWEEP = "azureml-logs/20_image_build_log.txt", "azureml-logs/hyperdrive.txt"
NAMES = ("user_logs/std_log.txt", "logs/azureml/executionlogs.txt", BUILD, SWEEP)
# What a command writes into these folders of its working directory is kept with its run, as in Azure.
KEPT = ("outputs", "logs")
# An output of this name that the command does not write to itself is all of that, with the log
# (`hello-pipeline-default-artifacts.yml` of github.com/Azure/azureml-examples).
ARTIFACTS = "artifacts"


def there(box: Box, run: str) -> dict[str, Path]:
    """The logs that a run has by now, by name."""
    places = {name: box.jobs.folder(run) / name for name in NAMES}
    return {name: path for name, path in places.items() if path.exists()}


def tell(box: Box, pipeline: str, text: str) -> None:
    """Adds a line to a pipeline's log."""
    path = box.jobs.folder(pipeline) / NAMES[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"[{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}] {text}\n")


def as_output(box: Box, run: str) -> None:
    """Makes what a command kept its output `artifacts` (blocks)."""
    folder = box.jobs.folder(run)
    place = folder / "outputs" / ARTIFACTS
    for name in KEPT:
        link_tree(folder / "code" / name, place / name)
    for name, path in there(box, run).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(path, place / name)


def upload(box: Box, run: str) -> None:
    """Sends a run's logs, and what its command kept beside them, to where the SDK looks for a job's artifacts (blocks)."""
    address = f"azureml://datastores/{datastores.ARTIFACTS}/paths/ExperimentRun/dcid.{run}"
    container, place = datastores.resolve(box, address)
    for name, path in there(box, run).items():
        box.storage.upload_file(container, f"{place}/{name}", path)
    for name in KEPT:
        box.storage.upload_folder(container, f"{place}/{name}", box.jobs.folder(run) / "code" / name)
