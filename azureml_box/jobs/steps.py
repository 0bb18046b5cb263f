"""Running one step: inputs in, the command, outputs out; with a log that says what was done."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box.environments import BuildError, Interpreter, wanted
from azureml_box.errors import ArmError
from azureml_box.jobs import command, describe, documents, environment, files, logs, materials, process, reuse, states
from azureml_box.jobs.failures import StepFailed
from azureml_box.jobs.materials import Materials
from azureml_box.jobs.plan import Plan, Step
from azureml_box.jobs.sweeps.run import SweepRun
from azureml_box.jobs.uploads import Uploads
from azureml_box.jobs.values import FromStep

if TYPE_CHECKING:
    from azureml_box.context import Box

# The service's own words: github.com/MG-Cafe/MLOps_Workshop/issues/8.
_BUILD_FAILED = f"Image build failed. For more details, check log file {logs.BUILD}."
_BEGUN = ("Running", "Finalizing")


class StepRunner:
    """Runs the steps of one root job; `runs` maps a step's path to its job's name."""

    def __init__(self, box: Box, places: asyncio.Semaphore, plan: Plan, runs: dict[str, str]) -> None:
        self._box, self._places, self._plan, self._runs = box, places, plan, runs
        self.uploads = Uploads(box)
        self._sweeps: dict[str, SweepRun] = {}
        self._equal: dict[str, str] = {}
        self._ended: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def uri(self, source: FromStep) -> str:
        """The address of a step's output."""
        entry, ran = describe.outputs(self._plan.steps[source.step])[source.output], self._origin(source.step)
        datastore = str(documents.get(self._box, ran).get("_datastore") or "")
        return describe.address(ran, source.output, entry, datastore)

    def _origin(self, path: str) -> str:
        doc = documents.get(self._box, self._runs[path])
        if best := doc.get("_best"):  # a sweep's outputs are its best trial's
            doc = documents.get(self._box, best)
        return reuse.origin(doc)

    def _source(self, source: FromStep) -> tuple[Path, str]:
        return self._box.jobs.folder(self._origin(source.step)) / "outputs" / source.output, self.uri(source)

    async def run(self, step: Step) -> None:
        """Runs a step to its end, from where a former emulator left it.

        Raises:
            StepFailed: the command failed, or its files are not there.
        """
        run = self._runs[step.path]
        if step.sweep is None:
            await self._run_as(step, run)
            return
        self._sweeps[run] = SweepRun(self._box, run, step, step.sweep, self._run_as)
        try:
            await self._sweeps[run].run()
        except BaseException:
            self.uploads.begin(run, [])
            raise
        await self.uploads.settle()  # of the best trial's outputs
        self.uploads.begin(run, [], settle="_best" in documents.get(self._box, run))

    def ended(self, run: str) -> None:
        """Says that a step has ended, so that equal ones need not wait for it."""
        self._ended[run].set()

    async def cancel(self, trial: str) -> None:
        """Ends one trial of a sweep, and returns when its processes have ended."""
        for sweep in self._sweeps.values():
            await sweep.cancel(trial)

    async def _run_as(self, step: Step, run: str) -> None:
        status = documents.get(self._box, run)["properties"]["status"]
        begun = status in _BEGUN and process.began(self._box.jobs.folder(run))
        if not begun:
            states.enter(self._box, run, "Queued")
            try:
                await self._box.provisioning.wait("jobs", run)
            except ArmError as error:
                raise StepFailed(f"{error.code}: {error.message}") from error
        async with self._places:
            states.enter(self._box, run, "Preparing", keep=_BEGUN)
            try:
                await (self._go_on(step, run) if begun else self._begin(step, run))
            finally:
                states.bill(self._box, run)

    async def _begin(self, step: Step, run: str) -> None:
        folder = self._box.jobs.folder(run)
        try:
            await asyncio.to_thread(process.end_left, folder)  # of a former emulator that died meanwhile
            made = await asyncio.to_thread(materials.place, self._box, step, folder, self._source)
            key = await asyncio.to_thread(reuse.fingerprint, self._box, step, made) if self._reusable(step) else None
            if key and (earlier := await self._earlier(key, run)):
                reuse.take(self._box, run, earlier)
                self.uploads.begin(run, [], settle=True)
                return
            before = await asyncio.to_thread(materials.own, step, made)
            line = await asyncio.to_thread(self._line, step, folder, made)
        except (ArmError, OSError) as error:
            raise StepFailed(f"its inputs could not be prepared: {error}") from error
        python = await self._interpreter(step, run)
        code = await self._execute(step, run, line, python)
        if before:
            await self.uploads.settle()  # what is written back must not be overtaken by what it replaces
            await asyncio.to_thread(materials.write_back, self._box, made, before)
        await self._end(step, run, code)
        if key:
            reuse.keep(self._box, key, run)

    async def _earlier(self, key: str, run: str) -> dict[str, Any] | None:
        """A job that made the same: of an earlier pipeline, or the first of equal steps of this one, which is waited for."""
        first = self._equal.setdefault(key, run)
        if first != run:
            await self._ended[first].wait()
            await self.uploads.settle()  # its outputs
        return reuse.find(self._box, key)

    def _reusable(self, step: Step) -> bool:
        return reuse.possible(self._plan, step)

    async def _interpreter(self, step: Step, run: str) -> Interpreter:
        """The Python of the step's environment, built first where that is needed."""
        asked = await asyncio.to_thread(wanted, self._box, step.component.spec.get("environment"))
        try:
            python = await self._box.environments.prepare(asked, self._box.jobs.folder(run) / logs.BUILD)
        except BuildError as error:
            self.uploads.begin(run, [])
            raise StepFailed(f"{_BUILD_FAILED} {error}") from error
        doc = documents.get(self._box, run)
        doc["properties"]["properties"] |= {"azureml_box.interpreter": python.path}
        self._box.store.put(documents.KIND, run, doc)
        return python

    async def _execute(self, step: Step, run: str, line: str, python: Interpreter) -> int:
        folder, log, doc = self._box.jobs.folder(run), self._box.jobs.log(run), documents.get(self._box, run)
        log.parent.mkdir(parents=True, exist_ok=True)
        _note(log, step, python)
        experiment = doc["properties"]["experimentName"]
        own = environment.of_run(self._box.config, run, doc["_root"], experiment, step.environment_variables, python)
        states.enter(self._box, run, "Running")
        try:
            return await process.run(line, folder, log, own, step.timeout)
        except TimeoutError as error:
            raise _overdue(step) from error

    async def _go_on(self, step: Step, run: str) -> None:
        """Waits for a process that a former emulator began. What it wrote into read-write mounts stays with it."""
        try:
            code = await process.adopt(self._box.jobs.folder(run), step.timeout)
        except TimeoutError as error:
            raise _overdue(step) from error
        except process.LostError as error:
            await self._end(step, run, 0)
            raise StepFailed(str(error)) from error
        await self._end(step, run, code)

    async def _end(self, step: Step, run: str, code: int) -> None:
        if describe.is_kept(step):
            await asyncio.to_thread(logs.as_output, self._box, run)
        self.uploads.begin(run, list(describe.outputs(step)), settle=code == 0)
        if code != 0:
            last = process.last_line(self._box.jobs.log(run))
            raise StepFailed(f"the command ended with exit code {code}: {last}")

    def _line(self, step: Step, folder: Path, made: Materials) -> str:
        places = {}
        for name, entry in describe.outputs(step).items():
            place = folder / "outputs" / name
            (place.parent if files.is_file(entry.get("type")) else place).mkdir(parents=True, exist_ok=True)
            places[name] = str(place)
        return command.render(str(step.component.spec.get("command", "")), made.texts, places)


def _overdue(step: Step) -> StepFailed:
    # The ARM reference on `limits.timeout`: "the max run duration …, after which the job will be cancelled".
    return StepFailed(f"it was canceled at its limit of {step.timeout:g} s", "Canceled")


def _note(log: Path, step: Step, python: Interpreter) -> None:
    named = describe.environment(step.component.spec) or "none"
    with log.open("a") as file:
        if step.component.id:  # a command job has none
            file.write(f"[box] step {step.name}: component {step.component.id}\n")
        file.write(f"[box] environment {named} maps to {python.words()}; one process on this machine\n")
