"""One run of a pipeline: child jobs are made at its beginning, each step runs as soon as what it needs is there."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

from azureml_box.jobs import delivery, describe, documents, logs, registering, states
from azureml_box.jobs.failures import StepFailed
from azureml_box.jobs.plan import Plan, Step
from azureml_box.jobs.steps import StepRunner
from azureml_box.jobs.sweeps import showing

if TYPE_CHECKING:
    from azureml_box.context import Box


class PipelineRun:
    """A pipeline from its plan to its end; after a restart it goes on from the states of its child jobs."""

    def __init__(self, box: Box, places: asyncio.Semaphore, name: str, plan: Plan) -> None:
        self._box, self._name, self._plan = box, name, plan
        self._runs = documents.get(box, name).get("_runs") or {}
        self._tasks: dict[str, asyncio.Task[str]] = {}
        self._unwanted: set[str] = set()
        if not self._runs:
            paths = (*plan.groups, *plan.steps)
            self._runs = {"": name, **{path: str(uuid.uuid4()) for path in paths}}
        self._runner = StepRunner(box, places, plan, self._runs)

    async def run(self) -> None:
        """To the end, whatever that is."""
        states.enter(self._box, self._name, "Preparing", keep=("Running", "Finalizing"))
        self._make_children()
        for group in ("", *self._plan.groups):
            states.enter(self._box, self._runs[group], "Running")
        failed = await self._run_steps()
        logs.tell(self._box, self._name, "Finishing experiment: 0 runs left and 0 nodes running.")
        self._runner.uploads.begin(self._name, [])
        if failed:
            await self._runner.uploads.settle()
            states.enter(self._box, self._name, "Failed", failed)
            return
        states.enter(self._box, self._name, "Finalizing")
        await self._runner.uploads.finish()
        await self._bind_outputs()
        states.enter(self._box, self._name, "Completed")

    async def cancel(self, run: str) -> None:
        """Ends one step, or the steps of one group, and returns when their processes have ended."""
        path = next((path for path, name in self._runs.items() if name == run), None)
        if path is None:
            await self._runner.cancel(run)
            return
        chosen = [step for step in self._tasks if step == path or step.startswith(f"{path}/")]
        states.enter(self._box, run, "CancelRequested")
        self._unwanted |= set(chosen)
        for step in chosen:
            self._tasks[step].cancel()
        await asyncio.gather(*(self._tasks[step] for step in chosen), return_exceptions=True)

    def _make_children(self) -> None:
        root = documents.get(self._box, self._name)
        self._box.store.put(documents.KIND, self._name, {**root, "_runs": self._runs})
        common = {"experimentName": root["properties"]["experimentName"]}
        for path, component in self._plan.groups.items():
            shown = {"jobType": "Pipeline", "displayName": path.rsplit("/", 1)[-1], "componentId": component.id}
            self._put(path, {**common, **shown, "jobs": {}, "settings": {}}, self._runs[path.rpartition("/")[0]])
        for path, step in self._plan.steps.items():
            shown = describe.step(self._box, step, self._runs[path], self._name, self._datastore())
            if step.sweep is not None:
                shown = showing.node(step.sweep, step, shown)
            self._put(path, {**common, **shown}, self._runs[step.group], step.destinations)

    def _datastore(self) -> str:
        return self._plan.settings.default_datastore

    def _put(self, path: str, properties: dict[str, Any], parent: str, destinations: Any = None) -> None:
        name = self._runs[path]
        if self._box.store.get(documents.KIND, name) is not None:  # made by a former emulator
            return
        doc = documents.make(self._box, name, properties, parent=parent, root=self._name)
        doc |= {"_destinations": destinations or {}, "_datastore": self._datastore()}
        self._box.store.put(documents.KIND, name, doc)

    async def _run_steps(self) -> str:
        """Runs all steps; returns what failed first, or an empty text."""
        for path, step in self._plan.steps.items():  # none begins before all are there
            self._tasks[path] = asyncio.create_task(self._follow(step))
        left, failed = set(self._tasks.values()), ""
        try:
            while left:
                done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
                failed = failed or next(filter(None, map(_outcome, done)), "")
                self._end_groups()
                if failed and not self._plan.settings.continue_on_step_failure:
                    break
            return failed
        finally:
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for path in self._tasks:
                states.enter(self._box, self._runs[path], "Canceled")
            self._end_groups()

    async def _follow(self, step: Step) -> str:
        """One step, after those that it needs; returns why it failed."""
        run = self._runs[step.path]
        needed = [self._tasks[path] for path in step.needs()]
        try:
            if needed:
                await asyncio.wait(needed)
            if any(map(_outcome, needed)):
                states.enter(self._box, run, "Canceled", "a step that it needs did not complete")
            else:
                await self._run_step(step)
        except asyncio.CancelledError:
            if step.path not in self._unwanted:
                raise
            states.enter(self._box, run, "Canceled", "it was canceled")
        finally:
            self._runner.ended(run)
        doc = documents.get(self._box, run)
        ended_well = doc["properties"]["status"] == "Completed"
        return "" if ended_well else f"{step.name}: {doc.get('_error') or 'it was canceled'}"

    async def _run_step(self, step: Step) -> None:
        run, outputs = self._runs[step.path], list(describe.outputs(step))
        doc = documents.get(self._box, run)
        if doc["properties"]["status"] in documents.ENDS:  # under a former emulator
            if not doc.get("_sent") and not doc.get("_reused"):
                self._runner.uploads.begin(run, outputs, settle=doc["properties"]["status"] == "Completed")
            return
        logs.tell(self._box, self._name, f"Submitting 1 runs, first five are: {run[:8]}:{run}")
        try:
            await self._runner.run(step)
        except StepFailed as error:
            logs.tell(self._box, self._name, f"Execution of run id {run} ({step.name}) failed: {error}")
            states.enter(self._box, run, error.status, str(error))
        except Exception as error:
            states.enter(self._box, run, "Failed", f"{type(error).__name__}: {error}")
            raise
        states.enter(self._box, run, "Finalizing")
        states.enter(self._box, run, "Completed")
        logs.tell(self._box, self._name, f"Completing processing run id {run}.")

    def _end_groups(self) -> None:
        """Ends the groups whose children have ended, from the innermost outwards."""
        for group in reversed(self._plan.groups):
            paths = [path for path in self._runs if path and path.rpartition("/")[0] == group]
            ends = {documents.get(self._box, self._runs[path])["properties"]["status"] for path in paths}
            if ends <= set(documents.ENDS):
                worst = next((bad for bad in ("Failed", "Canceled") if bad in ends), "Completed")
                states.enter(self._box, self._runs[group], worst)

    async def _bind_outputs(self) -> None:
        doc = documents.get(self._box, self._name)
        for (group, output), source in self._plan.outputs.items():
            entry = doc["properties"]["outputs"].get(output) if not group else None
            if entry is None:
                continue
            made, wanted = self._runner.uri(source), str(entry.get("uri") or "")
            entry["uri"] = await delivery.deliver_to(self._box, made, wanted, self._name, output)
            if name := entry.get("assetName"):
                kind, version = str(entry.get("jobOutputType") or "uri_folder"), str(entry.get("assetVersion") or "")
                await registering.register(self._box, kind, entry["uri"], str(name), version, self._name)
        self._box.store.put(documents.KIND, self._name, doc)


def _outcome(task: asyncio.Task[str]) -> str:
    return "it was canceled" if task.cancelled() else task.result()
