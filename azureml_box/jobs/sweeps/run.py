"""One run of a sweep: trials from the search space, so many at once, stopped early where the policy says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azureml_box.jobs import documents, states
from azureml_box.jobs.failures import StepFailed
from azureml_box.jobs.mlflow import runs
from azureml_box.jobs.plan import Step
from azureml_box.jobs.sweeps import showing, spaces
from azureml_box.jobs.sweeps.definition import Sweep
from azureml_box.jobs.values import Literal

if TYPE_CHECKING:
    from azureml_box.context import Box

_LOOK_EVERY = 0.2
_STOPPED = "it was stopped by the sweep's early termination policy"
_CANCELED = "it was canceled"
RunStep = Callable[[Step, str], Awaitable[None]]


class SweepRun:
    """The trials of one sweep; `run_step` runs a step as the job of a name.

    Samples come again in the same order for the same sweep, so that after a restart trial number n has the values it had.
    """

    def __init__(self, box: Box, name: str, step: Step, sweep: Sweep, run_step: RunStep) -> None:
        self._box, self._name, self._step, self._sweep, self._run_step = box, name, step, sweep, run_step
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._reasons: dict[str, str] = {}
        self._seen: dict[str, int] = {}

    async def run(self) -> None:
        """To its end; the document then names the best trial, and its outputs are that trial's.

        Raises:
            StepFailed: no trial completed, or the sweep reached its limit.
        """
        states.enter(self._box, self._name, "Running")
        self._write(properties=showing.opening(self._sweep))
        try:
            async with asyncio.timeout(self._sweep.timeout):
                await self._trials()
        except TimeoutError:
            raise StepFailed(f"it was canceled at its limit of {self._sweep.timeout:g} s", "Canceled") from None
        finally:
            await self._end_trials()
        self._choose()

    async def cancel(self, trial: str) -> None:
        """Ends one trial alone."""
        if task := self._tasks.get(trial):
            states.enter(self._box, trial, "CancelRequested")
            self._reasons[trial] = _CANCELED
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _trials(self) -> None:
        numbers = iter(range(self._sweep.most))
        seed = self._name if self._sweep.seed is None else self._sweep.seed
        drawn = zip(numbers, spaces.samples(self._sweep.space, self._sweep.algorithm, seed), strict=False)
        size = spaces.size(self._sweep.space)
        left: set[asyncio.Task[None]] = set()
        while self._begin(drawn, left, size) or left:
            done, left = await asyncio.wait(left, timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            self._stop_early()
        showing.tell(self._box, self._name, "GENERATOR", "All jobs generated.")

    def _begin(
        self, drawn: Iterator[tuple[int, dict[str, Any]]], left: set[asyncio.Task[None]], size: int | None
    ) -> bool:
        """Fills up to as many trials as may run at once; whether it began any."""
        room = self._sweep.at_once - len(left)
        if size is not None:
            room = min(room, size - len(self._tasks))
        before = len(left)
        for _, (number, values) in zip(range(room), drawn, strict=False):
            trial = f"{self._name}_{number}"
            showing.tell(self._box, self._name, "SCHEDULER", f"Scheduling job, id='{trial}'")
            self._tasks[trial] = asyncio.create_task(self._trial(trial, values))
            left.add(self._tasks[trial])
        return len(left) > before

    async def _trial(self, name: str, values: dict[str, Any]) -> None:
        inputs = {**self._step.inputs, **{key: Literal(spaces.text(value)) for key, value in values.items()}}
        path = f"{self._step.path}/{name}".lstrip("/")
        timeout = self._sweep.trial_timeout or self._step.timeout
        step = replace(self._step, path=path, inputs=inputs, timeout=timeout, sweep=None, is_trial=True)
        showing.make_trial(self._box, step, name, self._name, values)
        if self._status(name) in documents.ENDS:  # under a former emulator
            return
        try:
            await self._run_step(step, name)
        except StepFailed as error:
            states.enter(self._box, name, error.status, str(error))
        except asyncio.CancelledError:
            if name not in self._reasons:
                raise
            states.enter(self._box, name, "Canceled", self._reasons[name])
        except Exception as error:
            states.enter(self._box, name, "Failed", f"{type(error).__name__}: {error}")
            raise
        states.enter(self._box, name, "Finalizing")
        states.enter(self._box, name, "Completed")

    def _stop_early(self) -> None:
        policy = self._sweep.policy
        if policy is None:
            return
        history = {trial: self._logged(trial) for trial in self._tasks}
        for trial, task in self._tasks.items():
            news = range(self._seen.get(trial, 0) + 1, len(history[trial]) + 1)
            self._seen[trial] = len(history[trial])
            stops = any(policy.stops(trial, history, now, self._sweep.goal) for now in news)
            if stops and not task.done() and trial not in self._reasons:
                self._reasons[trial] = _STOPPED
                showing.tell(self._box, self._name, "CONTROLLER", f"Cancelling job by policy, id='{trial}'")
                task.cancel()

    async def _end_trials(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for trial in self._tasks:
            states.enter(self._box, trial, "Canceled")

    def _choose(self) -> None:
        ended = {trial: self._status(trial) for trial in self._tasks}
        if "Completed" not in ended.values():
            first = documents.get(self._box, next(iter(ended))) if ended else {}
            raise StepFailed(f"no trial completed; the first: {first.get('_error') or _CANCELED}")
        pick = max if self._sweep.goal == "maximize" else min
        scores = {
            trial: pick(values) for trial in ended if ended[trial] == "Completed" and (values := self._logged(trial))
        }
        showing.tell(self._box, self._name, "CONTROLLER", "Changing Run Status from Running to Completed")
        if not scores:  # nothing to choose by: the sweep completes without a best trial
            return
        best = pick(scores, key=lambda trial: scores[trial])
        outputs = documents.get(self._box, best)["properties"]["outputs"]
        self._write(properties=showing.closing(best, scores[best]), outputs=outputs, best=best)

    def _write(self, properties: dict[str, str], outputs: dict[str, Any] | None = None, best: str = "") -> None:
        doc = documents.get(self._box, self._name)
        doc["properties"]["properties"] |= properties
        if best:
            doc["_best"] = best
            for name, entry in (outputs or {}).items():
                doc["properties"]["outputs"].setdefault(name, {}).update({**entry, "uri": entry["uri"]})
        self._box.store.put(documents.KIND, self._name, doc)

    def _logged(self, trial: str) -> list[float]:
        """The values of the primary metric that a trial has logged, in order."""
        points = runs.data(self._box, trial)["metrics"].get(self._sweep.metric) or []
        return [float(point["value"]) for point in points]

    def _status(self, name: str) -> str:
        return str(documents.get(self._box, name)["properties"]["status"])
