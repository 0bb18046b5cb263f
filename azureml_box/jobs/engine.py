"""Runs jobs: each root job a task, its steps as soon as what they need is there, two processes at a time."""

from __future__ import annotations

import asyncio
import logging
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box.jobs import delivery, documents, process, states
from azureml_box.jobs.execution_log import ExecutionLog
from azureml_box.jobs.plan import Plan, Step
from azureml_box.jobs.steps import StepFailed, StepRunner

if TYPE_CHECKING:
    from azureml_box.context import Box

AT_ONCE = 2
STOP_SECONDS = 1.0
_STOPPED = "the emulator stopped while this job ran"
_log = logging.getLogger(__name__)


class JobEngine:
    """Owns the running jobs of one emulator."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def start(self) -> None:
        """Ends honestly what ran when a former process of this emulator died."""
        for doc in self._box.store.list(documents.KIND):
            if doc["properties"]["status"] not in documents.ENDS and not doc.get("_tracked_only"):
                process.kill_left(self.folder(doc["name"]) / "pid", doc["name"])
                states.enter(self._box, doc["name"], "Failed", _STOPPED)

    async def stop(self) -> None:
        """Ends all step processes, those that don't listen for sure after a second."""
        tasks = dict(self._tasks)
        for name, task in tasks.items():
            self._end_all(name, "Failed", _STOPPED)
            task.cancel()
        if tasks:
            await asyncio.wait(tasks.values(), timeout=STOP_SECONDS)
        for doc in self._box.store.list(documents.KIND) if tasks else ():
            if doc["_root"] in tasks:
                process.kill_left(self.folder(doc["name"]) / "pid", doc["name"])
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    def folder(self, run: str) -> Path:
        """A run's own folder."""
        return self._box.config.home / "jobs" / run

    def log(self, run: str) -> Path:
        """A run's log."""
        return self.folder(run) / "user_logs" / "std_log.txt"

    def submit(self, name: str, plan: Plan) -> None:
        """Begins a root job whose document is stored."""
        task = asyncio.create_task(self._run_root(name, plan))
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    async def cancel(self, name: str) -> None:
        """Cancels a job, or one step of a pipeline together with its pipeline; returns once its processes have ended."""
        root = documents.get(self._box, name)["_root"]
        task = self._tasks.get(root)
        if task is None:
            return
        states.enter(self._box, root, "CancelRequested")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._end_all(root, "Canceled")  # a task that had not begun yet ends without a word

    async def _run_root(self, name: str, plan: Plan) -> None:
        try:
            if "" in plan.steps:  # a command job is its own only step
                await self._run_command(name, plan)
            else:
                await _Pipeline(self._box, self, self._places, name, plan).run()
        except asyncio.CancelledError:
            self._end_all(name, "Canceled")
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke, the job must end in a state that people see
            _log.exception("job %s broke", name)
            self._end_all(name, "Failed", f"{type(error).__name__}: {error}")

    async def _run_command(self, name: str, plan: Plan) -> None:
        runner = StepRunner(self._box, self, self._places, plan, {"": name})
        try:
            await runner.run(plan.steps[""])
            await runner.uploaded()
        except StepFailed as error:
            await runner.settled()
            states.enter(self._box, name, error.status, str(error))
        else:
            states.enter(self._box, name, "Finalizing")
            states.enter(self._box, name, "Completed")

    def _end_all(self, root: str, status: str, error: str = "") -> None:
        for doc in self._box.store.list(documents.KIND):
            if doc["_root"] == root and doc["name"] != root:
                states.enter(self._box, doc["name"], "Canceled", error)
        states.enter(self._box, root, status, error)


class _Pipeline:
    """One run of a pipeline: child jobs are made at its beginning, steps start as what they need ends."""

    def __init__(self, box: Box, engine: JobEngine, places: asyncio.Semaphore, name: str, plan: Plan) -> None:
        self._box, self._engine, self._name, self._plan = box, engine, name, plan
        self._runs = {"": name, **{path: str(uuid.uuid4()) for path in (*plan.groups, *plan.steps)}}
        self._runner = StepRunner(box, engine, places, plan, self._runs)
        self._log = ExecutionLog(box, name, engine.folder(name))

    async def run(self) -> None:
        states.enter(self._box, self._name, "Preparing")
        self._make_children()
        for group in ("", *self._plan.groups):
            states.enter(self._box, self._runs[group], "Running")
        failed = await self._run_steps()
        await self._log.finished()
        for group in reversed(self._plan.groups):
            self._end_group(group)
        if failed:
            await self._runner.settled()
            states.enter(self._box, self._name, "Failed", failed)
            return
        states.enter(self._box, self._name, "Finalizing")
        await self._runner.uploaded()
        await self._bind_outputs()
        states.enter(self._box, self._name, "Completed")

    def _make_children(self) -> None:
        experiment = documents.get(self._box, self._name)["properties"]["experimentName"]
        common = {"experimentName": experiment}
        for path, component in self._plan.groups.items():
            parent = self._runs[path.rpartition("/")[0]]
            shown = {
                "jobType": "Pipeline",
                "displayName": path.rsplit("/", 1)[-1],
                "componentId": component.id,
                "jobs": {},
            }
            self._put(self._runs[path], {**common, **shown, "settings": {}}, parent)
        for path, step in self._plan.steps.items():
            self._put(self._runs[path], {**common, **self._runner.describe(step)}, self._runs[step.group])

    def _put(self, name: str, properties: dict[str, Any], parent: str) -> None:
        doc = documents.make(self._box, name, properties, parent=parent, root=self._name)
        self._box.store.put(documents.KIND, name, doc)

    async def _run_steps(self) -> str:
        """Runs all steps; returns what failed, or an empty text. One failure ends the pipeline."""
        waiting, running, done = dict(self._plan.steps), dict[asyncio.Task[None], str](), set[str]()
        try:
            while waiting or running:
                ready = [path for path, step in waiting.items() if step.needs() <= done]
                if ready:
                    self._log.submitted([(path, self._runs[path]) for path in ready])
                for path in ready:
                    running[asyncio.create_task(self._run_step(waiting.pop(path)))] = path
                finished, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    path = running.pop(task)
                    failure = task.exception()
                    self._log.ended(self._runs[path], str(failure or ""))
                    if failure:
                        return f"{path.rsplit('/', 1)[-1]}: {failure}"
                    done.add(path)
            return ""
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for path in (*waiting, *running.values()):
                states.enter(self._box, self._runs[path], "Canceled")

    async def _run_step(self, step: Step) -> None:
        run = self._runs[step.path]
        try:
            await self._runner.run(step)
        except StepFailed as error:
            states.enter(self._box, run, error.status, str(error))
            raise
        except Exception as error:
            states.enter(self._box, run, "Failed", f"{type(error).__name__}: {error}")
            raise
        states.enter(self._box, run, "Finalizing")
        states.enter(self._box, run, "Completed")

    def _end_group(self, group: str) -> None:
        run = self._runs[group]
        ends = {doc["properties"]["status"] for doc in documents.children(self._box, run)}
        states.enter(self._box, run, next((bad for bad in ("Failed", "Canceled") if bad in ends), "Completed"))

    async def _bind_outputs(self) -> None:
        doc = documents.get(self._box, self._name)
        for (group, output), source in self._plan.outputs.items():
            entry = doc["properties"]["outputs"].get(output) if not group else None
            if entry is None:
                continue
            made, wanted = self._runner.uri(source), entry.get("uri")
            entry["uri"] = delivery.chosen(str(wanted), self._name, output) if wanted else made
            if wanted:
                await asyncio.to_thread(delivery.deliver, self._box, made, entry["uri"])
        self._box.store.put(documents.KIND, self._name, doc)
