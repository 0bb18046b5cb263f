"""A pipeline's own log, `logs/azureml/executionlogs.txt`: what `jobs.stream` shows and `jobs.download` fetches of it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_box import datastores

if TYPE_CHECKING:
    from azureml_box.context import Box

NAME = "logs/azureml/executionlogs.txt"
_FEW = 5


class ExecutionLog:
    """Lines with a time, in the service's own words."""

    def __init__(self, box: Box, run: str, folder: Path) -> None:
        self._box, self._run, self._path = box, run, folder / NAME

    def submitted(self, runs: Collection[tuple[str, str]]) -> None:
        """Steps whose turn it is: pairs of name and run id."""
        some = " ".join(f"{name}:{run}" for name, run in list(runs)[:_FEW])
        self._write(f"Submitting {len(runs)} runs, first five are: {some}")

    def ended(self, run: str, failure: str = "") -> None:
        """A step that completed, or why it did not."""
        if failure:
            self._write("Execution of experiment failed, update experiment status and cancel running nodes.")
            self._write(failure)
        else:
            self._write(f"Completing processing run id {run}.")

    async def finished(self) -> None:
        """The last line; then the log is an artifact of the run."""
        self._write("Finishing experiment: no runs left and nothing to schedule.")
        address = f"azureml://datastores/{datastores.ARTIFACTS}/paths/ExperimentRun/dcid.{self._run}/{NAME}"
        container, blob = datastores.resolve(self._box, address)
        await asyncio.to_thread(self._box.storage.upload_file, container, blob, self._path)

    def _write(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(f"[{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}] {line}\n\n")
