"""Everything outside, in one place: what `shared.azure.outside.use` gets in a simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.simulation.faults import Faults
from tests.simulation.kernel import Kernel
from tests.simulation.outside.blobs import FakeBlobs
from tests.simulation.outside.gate import Gate
from tests.simulation.outside.online import FakeInference, FakeOnline
from tests.simulation.outside.queue import FakeQueue
from tests.simulation.outside.topics import FakeTopics
from tests.simulation.outside.webhooks import FakeWebhooks
from tests.simulation.outside.workspace import FakeComputes, FakeJobs, FakeModels, FakeRegistry

WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


class World:
    """The world outside; what a process remembers is the current actor's process's."""

    def __init__(self, kernel: Kernel, faults: Faults) -> None:
        self.kernel = kernel
        self.gate = Gate(kernel, faults)
        self.blobs = FakeBlobs(self.gate)
        self.queue = FakeQueue(self.gate)
        self.topics = FakeTopics(self.gate)
        self.jobs = FakeJobs(self.gate, self.blobs)
        self.models = FakeModels(self.gate, self.jobs)
        self.registry = FakeRegistry(self.gate)
        self.computes = FakeComputes(self.gate)
        self.online = FakeOnline(self.gate)
        self.inference = FakeInference(self.gate, self.online)
        self.webhooks = FakeWebhooks(self.gate)
        self._alone: dict[str, Any] = {"instance": "alone"}

    @property
    def memory(self) -> dict[str, Any]:
        """What the process of the current actor remembers."""
        actor = self.kernel.current
        return actor.process.memory if actor else self._alone

    def warm(self) -> None:
        """Nothing here is heavy."""

    def gather(self, call: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """What a call gives for each item, in order."""
        return [call(item) for item in items]

    def workspace_id(self) -> str:
        """The ARM id of the workspace."""
        return WORKSPACE
