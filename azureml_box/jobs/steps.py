"""Running one step: inputs in, the command, outputs out; with a log that says what was done."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box import assets, datastores
from azureml_box.errors import ArmError
from azureml_box.jobs import command, documents, files, process, states
from azureml_box.jobs.plan import Plan, Step
from azureml_box.jobs.values import Asset, FromStep, Literal, Value

if TYPE_CHECKING:
    from azureml_box.context import Box
    from azureml_box.jobs.engine import JobEngine


class StepFailed(Exception):
    """A step did not end well; the message says why, `status` is the state that it ends in."""

    def __init__(self, message: str, status: str = "Failed") -> None:
        super().__init__(message)
        self.status = status


class StepRunner:
    """Runs the steps of one root job; `runs` maps a step's path to its job's name."""

    def __init__(
        self, box: Box, engine: JobEngine, places: asyncio.Semaphore, plan: Plan, runs: dict[str, str]
    ) -> None:
        self._box, self._engine, self._places, self._plan, self._runs = box, engine, places, plan, runs
        self._uploads: set[asyncio.Task[None]] = set()

    def describe(self, step: Step) -> dict[str, Any]:
        """The properties of a step's job document."""
        spec, run = step.component.spec, self._runs[step.path]
        return {
            "jobType": "Command",
            "displayName": step.name,
            "componentId": step.component.id,
            "command": spec.get("command"),
            "environmentId": _environment(spec),
            "computeId": f"{self._box.config.workspace_scope}/computes/{step.compute}" if step.compute else None,
            "inputs": {name: _shown(value) for name, value in step.inputs.items() if not isinstance(value, FromStep)},
            "outputs": {
                name: {
                    "jobOutputType": str(entry.get("type", "uri_folder")),
                    "mode": "ReadWriteMount",
                    "uri": self._address(run, name, entry),
                }
                for name, entry in _outputs(step).items()
            },
            "resources": {"instanceCount": 1},
        }

    def uri(self, source: FromStep) -> str:
        """The address of a step's output."""
        step = self._plan.steps[source.step]
        return self._address(self._runs[step.path], source.output, _outputs(step)[source.output])

    @staticmethod
    def _address(run: str, output: str, entry: dict[str, Any]) -> str:
        return files.output_uri(run, output, files.is_file(entry.get("type")))

    async def uploaded(self) -> None:
        """Waits until all outputs are in the storage account.

        Raises:
            StepFailed: one could not be sent.
        """
        try:
            await asyncio.gather(*self._uploads)
        except Exception as error:
            raise StepFailed(f"an output could not be uploaded: {error}") from error

    async def settled(self) -> None:
        """Waits for the uploads of a job that fails anyway, so that its logs are there when it has ended."""
        await asyncio.gather(*self._uploads, return_exceptions=True)

    async def run(self, step: Step) -> None:
        """Runs a step to its end.

        Raises:
            StepFailed: the command failed, or its files are not there.
        """
        run = self._runs[step.path]
        states.enter(self._box, run, "Queued")
        try:
            await self._box.provisioning.wait("jobs", run)
        except ArmError as error:
            raise StepFailed(f"{error.code}: {error.message}") from error
        async with self._places:
            states.enter(self._box, run, "Preparing")
            began = time.monotonic()
            try:
                await self._run(step, run)
            finally:
                self._bill(run, time.monotonic() - began)

    async def _run(self, step: Step, run: str) -> None:
        folder, log = self._engine.folder(run), self._engine.log(run)
        log.parent.mkdir(parents=True, exist_ok=True)
        try:
            line = await asyncio.to_thread(self._prepare, step, folder)
        except (ArmError, OSError) as error:
            raise StepFailed(f"its inputs could not be prepared: {error}") from error
        doc = documents.get(self._box, run)
        self._note(log, step)
        states.enter(self._box, run, "Running")
        environment = process.environment(
            self._box.config, run, doc["_root"], doc["properties"]["experimentName"], step.environment_variables
        )
        try:
            code = await process.run(line, folder / "code", log, environment, step.timeout)
        except TimeoutError as error:
            raise StepFailed(f"it was canceled at its limit of {step.timeout:g} s", "Canceled") from error
        self._begin_uploads(step, run, folder)
        if code != 0:
            raise StepFailed(f"the command ended with exit code {code}: {process.last_line(log)}")

    def _prepare(self, step: Step, folder: Path) -> str:
        code = folder / "code"
        code.mkdir(parents=True, exist_ok=True)
        if step.component.code:
            assets.code_folder(self._box, step.component.code, code)
        inputs = {name: self._input(value, folder / "inputs" / name) for name, value in step.inputs.items()}
        outputs = {}
        for name, entry in _outputs(step).items():
            place = folder / "outputs" / name
            (place.parent if files.is_file(entry.get("type")) else place).mkdir(parents=True, exist_ok=True)
            outputs[name] = str(place)
        return command.render(str(step.component.spec.get("command", "")), inputs, outputs)

    def _input(self, value: Value, place: Path) -> str:
        if isinstance(value, Literal):
            return value.value
        if isinstance(value, Asset):
            return str(files.fetch(self._box, value, place))
        source = self._engine.folder(self._runs[value.step]) / "outputs" / value.output
        return str(files.hand_on(source, place))

    def _note(self, log: Path, step: Step) -> None:
        environment = _environment(step.component.spec) or "none"
        with log.open("a") as file:
            if step.component.id:  # a command job has none
                file.write(f"[box] step {step.name}: component {step.component.id}\n")
            file.write(
                f"[box] environment {environment} maps to the box's own interpreter; one process on this machine\n"
            )

    def _begin_uploads(self, step: Step, run: str, folder: Path) -> None:
        """Sends outputs and the log while the next steps run: these read the files on this machine."""
        for name in _outputs(step):
            source = folder / "outputs" / name
            if source.exists():
                self._uploads.add(asyncio.create_task(asyncio.to_thread(files.upload, self._box, run, name, source)))
        self._uploads.add(asyncio.create_task(asyncio.to_thread(self._upload_log, run)))

    def _upload_log(self, run: str) -> None:
        address = f"azureml://datastores/{datastores.ARTIFACTS}/paths/ExperimentRun/dcid.{run}/user_logs/std_log.txt"
        container, path = datastores.resolve(self._box, address)
        self._box.storage.upload_file(container, path, self._engine.log(run))

    def _bill(self, run: str, seconds: float) -> None:
        doc = documents.get(self._box, run)
        doc["_billed_seconds"] = round(seconds, 3)
        self._box.store.put(documents.KIND, run, doc)


def _outputs(step: Step) -> dict[str, dict[str, Any]]:
    return dict(step.component.spec.get("outputs") or {})


def _environment(spec: dict[str, Any]) -> str | None:
    found = spec.get("environment")
    return found if isinstance(found, str) else None


def _shown(value: Value) -> dict[str, Any]:
    if isinstance(value, Literal):
        return {"jobInputType": "literal", "value": value.value}
    assert isinstance(value, Asset)
    return {"jobInputType": value.type, "uri": value.uri, "mode": "ReadOnlyMount"}
