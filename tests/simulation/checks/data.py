"""What is trained is what was dropped and validated; no secret is told."""

from __future__ import annotations

from tests.simulation.checker import Judge, shows
from tests.simulation.history import History, key_of
from tests.simulation.outside.blobs import Written
from tests.simulation.outside.online import CANARY
from tests.simulation.outside.workspace import FakeJob


class Data(Judge):
    """Uploads, snapshots, reports."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self.simulation.world.jobs.heard.append(self._job)
        self.simulation.world.blobs.heard.append(self._written)

    def _job(self, what: str, job: FakeJob) -> None:
        if what == "status" and job.status == "Running" and not job.foreign:
            self.trained_is_validated(job)

    @shows(3, 20, 21, 23)
    def trained_is_validated(self, job: FakeJob) -> None:
        """3, 20, 21, 23: a job reads whole files, and they are what a dropped file and its companions make together."""
        missing = [side for side, data in job.read.items() if data is None]
        if missing:
            self.wrong((23,), f"the job {job.spec.name} began without {missing}")
            return
        key = key_of(job.spec, job.read)
        if not any(wish.key == key for wish in self.history.wishes(key[0])):
            self.wrong((20,), f"the job {job.spec.name} trains what nobody dropped")

    def _written(self, written: Written) -> None:
        if self.simulation.kernel.current is None:
            return
        if written.container == "datasets" and ".report." not in written.path:
            self.wrong((20,), f"droptune wrote over somebody's file {written.path}")
        if written.data and CANARY.encode() in written.data:
            self.no_secret(f"{written.container}/{written.path}")

    @shows(44)
    def no_secret(self, where: str) -> None:
        """44: no key of an endpoint stands in a record, a report, an event or an answer."""
        self.wrong((44,), f"an endpoint's key stands in {where}")

    def end_published(self) -> None:
        """The same of everything that was published and answered."""
        for _, kind, subject, data in self.simulation.world.topics.published:
            if CANARY in repr(data):
                self.no_secret(f"the event {kind} of {subject}")
        for _, name, result in self.simulation.answers:
            if CANARY in repr(result):
                self.no_secret(f"an answer of {name}")
