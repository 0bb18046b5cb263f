"""One job a wish, one writer, nobody's things but ours, and the newest wins."""

from __future__ import annotations

from collections import Counter
from typing import Any

from shared.azure.seen import Model
from tests.simulation.checker import Judge, shows
from tests.simulation.history import History, key_of
from tests.simulation.outside.online import FakeEndpoint
from tests.simulation.outside.workspace import OUTPUT, FakeJob

RUN_TAG, NAME_TAG = "droptune-run", "droptune"


class Identity(Judge):
    """Jobs, models and endpoints by what they are made of."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self.jobs: Counter[Any] = Counter()
        world = self.simulation.world
        world.jobs.heard.append(self._job)
        world.models.heard.append(self._model)
        world.online.heard.append(self._online)

    def _job(self, what: str, job: FakeJob) -> None:
        if job.foreign:
            if what == "cancel":
                self.foreign_untouched(job.spec.name)
        elif what == "made":
            self.nothing_without_quota(job)
            self.one_job_a_wish(job)
            self.job_is_recorded(job)

    @shows(1, 2, 3, 5, 35, 38)
    def one_job_a_wish(self, job: FakeJob) -> None:
        """1, 2, 3, 5, 35, 38: whatever events say, the same content and parameters in a folder make one job, and one more for each retry asked for."""
        blobs = self.simulation.world.blobs.containers.get("snapshots", {})
        paths = {side: url.rpartition("/paths/")[2] for side, url in job.spec.files.items()}
        key = key_of(job.spec, {side: blobs[path].data if path in blobs else None for side, path in paths.items()})
        self.jobs[key] += 1
        self.history.keys[job.spec.name] = key
        if self.jobs[key] > self.history.ways(key[0], key) + self.history.retries[key[0]]:
            self.wrong((1, 38), f"the job {job.spec.name} is number {self.jobs[key]} for the same wish")

    @shows(35)
    def nothing_without_quota(self, job: FakeJob) -> None:
        """35: where there is no quota no job begins, unless Azure refused for good to tell of quotas."""
        if self.simulation.short and not self.simulation.permanent:
            self.wrong((35,), f"the job {job.spec.name} begins although there is no quota for it")

    @shows(27)
    def job_is_recorded(self, job: FakeJob) -> None:
        """27: a job that begins is one of a run that is recorded."""
        run = job.spec.tags.get(RUN_TAG, "")
        if f"{run}.json" not in self.simulation.world.blobs.containers.get("runs", {}):
            self.wrong((27,), f"the job {job.spec.name} has no record of a run {run!r}")

    @shows(42, 16)
    def _model(self, model: Model, path: str) -> None:
        """42: a model is registered from the output of a completed job alone."""
        name = path.removeprefix("azureml://jobs/").partition("/")[0]
        job = self.simulation.world.jobs.all.get(name)
        if job is None or job.status != "Completed" or OUTPUT not in job.life.outputs or job.foreign:
            self.wrong((42,), f"{model.name}:{model.version} was registered from {name}, which is {job and job.status}")

    def _online(self, what: str, about: Any) -> None:
        if what in ("endpoint deleting", "traffic") and isinstance(about, FakeEndpoint):
            if about.name in self.history.foreign:
                self.foreign_untouched(about.name)
            elif what == "traffic":
                self.newer_never_loses(about)
        if (
            what in ("deployment deleting", "deployment updated")
            and f"{about.endpoint}/{about.name}" in self.history.foreign
        ):
            self.foreign_untouched(about.name)

    @shows(16, 28)
    def foreign_untouched(self, name: str) -> None:
        """16, 28: what does not bear our tag is never changed or deleted."""
        self.wrong((16, 28), f"{name} is somebody else's and was touched")

    @shows(7, 31)
    def newer_never_loses(self, endpoint: FakeEndpoint) -> None:
        """7, 31: traffic never goes back from a newer wish that was live to an older one, unless people ended the newer.

        What gave way to something newer still before it was live, and that failed, gives the traffic back.
        """
        now = next((name for name, share in endpoint.traffic.items() if share == 100), None)
        if now is None:
            return
        key = self.history.key_of(endpoint.deployments[now])
        before = self.history.served.get(endpoint.name)
        asked = key and (self.history.cancels[key[0]] or key[0] in self.history.backs)
        judged = before and key and before != key and not asked and self._was_live(key[0], before)
        if judged and self.history.order(key[0], key) < self.history.order(key[0], before, judged=True):
            self.wrong((7,), f"the endpoint {endpoint.name} went back to an older upload's {now}")
        self.history.served[endpoint.name] = key

    def _was_live(self, folder: str, key: Any) -> bool:
        record = self.simulation.world.blobs.containers.get("endpoints", {}).get(f"{folder}.json")
        runs = {
            job.spec.tags[RUN_TAG] for name, job in self.simulation.world.jobs.all.items() if self._makes(name, key)
        }
        return record is not None and any(f'"run {run}"'.encode() in record.data for run in runs)

    def _makes(self, job: str, key: Any) -> bool:
        return bool(self.history.keys.get(job) == key)
