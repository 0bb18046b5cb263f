"""Runs jobs: each root job a task, two processes at a time; a job that a dead emulator left is taken up again."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_box.errors import ArmError
from azureml_box.jobs import documents, process, states
from azureml_box.jobs.failures import StepFailed
from azureml_box.jobs.pipeline import PipelineRun
from azureml_box.jobs.plan import Plan
from azureml_box.jobs.steps import StepRunner
from azureml_box.jobs.submission import plan_of

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
        self._parts: dict[str, PipelineRun | StepRunner] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def start(self) -> None:
        """Takes up what ran when a former process of this emulator died."""
        docs = [doc for doc in self._box.store.list(documents.KIND) if not doc.get("_tracked_only")]
        for doc in docs:
            if doc["_parent"] is None and doc["properties"]["status"] not in documents.ENDS:
                await self._take_up(doc)

    async def _take_up(self, doc: dict[str, Any]) -> None:
        name = doc["name"]
        pipeline = doc["properties"]["jobType"] == "Pipeline"
        if pipeline and not doc.get("_runs") and documents.children(self._box, name):
            await self._give_up(name, "Failed", f"{_STOPPED}, and it was of an older version")
            return
        try:
            plan = plan_of(self._box, doc["properties"])
        except ArmError as error:
            await self._give_up(name, "Failed", f"{_STOPPED}, and it cannot be gone on with: {error}")
            return
        if doc["properties"]["status"] == "CancelRequested":
            await self._give_up(name, "Canceled", "")
        else:
            self.submit(name, plan)

    async def _give_up(self, root: str, status: str, error: str) -> None:
        for folder in self._folders(root):
            await asyncio.to_thread(process.end_left, folder)
        self._end_all(root, status, error)

    async def stop(self) -> None:
        """Ends all step processes, those that don't listen for sure after a second."""
        tasks = dict(self._tasks)
        for name, task in tasks.items():
            self._end_all(name, "Failed", _STOPPED)
            task.cancel()
        if tasks:
            await asyncio.wait(tasks.values(), timeout=STOP_SECONDS)
        left = [folder for name, task in tasks.items() if not task.done() for folder in self._folders(name)]
        await asyncio.gather(*(asyncio.to_thread(process.end_left, folder) for folder in left))
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    def _folders(self, root: str) -> list[Path]:
        docs = self._box.store.list(documents.KIND)
        return [self.folder(doc["name"]) for doc in docs if doc["_root"] == root and self.folder(doc["name"]).exists()]

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
        """Cancels a job, or one step of a pipeline or trial of a sweep alone; returns once its processes have ended."""
        root = documents.get(self._box, name)["_root"]
        task, parts = self._tasks.get(root), self._parts.get(root)
        if task is None:
            return
        if name != root and parts is not None:
            await parts.cancel(name)
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
                made = self._parts[name] = PipelineRun(self._box, self._places, name, plan)
                await made.run()
        except asyncio.CancelledError:
            self._end_all(name, "Canceled")
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke, the job must end in a state that people see
            _log.exception("job %s broke", name)
            self._end_all(name, "Failed", f"{type(error).__name__}: {error}")
        finally:
            self._parts.pop(name, None)

    async def _run_command(self, name: str, plan: Plan) -> None:
        runner = self._parts[name] = StepRunner(self._box, self._places, plan, {"": name})
        try:
            await runner.run(plan.steps[""])
        except StepFailed as error:
            await runner.uploads.settle()
            states.enter(self._box, name, error.status, str(error))
            return
        states.enter(self._box, name, "Finalizing")
        await runner.uploads.finish()
        states.enter(self._box, name, "Completed")

    def _end_all(self, root: str, status: str, error: str = "") -> None:
        for doc in self._box.store.list(documents.KIND):
            if doc["_root"] == root and doc["name"] != root:
                states.enter(self._box, doc["name"], "Canceled", error)
        states.enter(self._box, root, status, error)
