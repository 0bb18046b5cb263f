"""Everything outside that droptune calls, by one name each; the simulation puts a world of its own here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.azure.gateways import (
        Blobs,
        Computes,
        Inference,
        Jobs,
        Models,
        Online,
        Outside,
        Queue,
        Registry,
        Topics,
        Webhooks,
    )

READERS = 8


class Azure:
    """The real outside; each part is imported at its first use, since the SDKs are heavy."""

    def __init__(self) -> None:
        self.memory: dict[str, Any] = {}

    @cached_property
    def blobs(self) -> Blobs:
        """The storage account."""
        from shared.azure.storage import AzureBlobs

        return AzureBlobs()

    @cached_property
    def queue(self) -> Queue:
        """The work queue."""
        from shared.azure.queue import AzureQueue

        return AzureQueue()

    @cached_property
    def topics(self) -> Topics:
        """The topic."""
        from shared.azure.topics import AzureTopics

        return AzureTopics()

    @cached_property
    def jobs(self) -> Jobs:
        """The jobs."""
        from shared.azure.workspace.jobs import AzureJobs

        return AzureJobs()

    @cached_property
    def models(self) -> Models:
        """The models."""
        from shared.azure.workspace.models import AzureModels

        return AzureModels()

    @cached_property
    def registry(self) -> Registry:
        """The registry."""
        from shared.azure.workspace.registry import AzureRegistry

        return AzureRegistry()

    @cached_property
    def computes(self) -> Computes:
        """The computes."""
        from shared.azure.workspace.computes import AzureComputes

        return AzureComputes()

    @cached_property
    def online(self) -> Online:
        """The endpoints."""
        from shared.azure.workspace.online import AzureOnline

        return AzureOnline()

    @cached_property
    def inference(self) -> Inference:
        """The scoring addresses."""
        from shared.azure.inference import AzureInference

        return AzureInference()

    @cached_property
    def webhooks(self) -> Webhooks:
        """The webhooks."""
        from shared.azure.webhooks import HttpsWebhooks

        return HttpsWebhooks()

    def warm(self) -> None:
        """Makes the heavy clients ready in the background."""
        from shared.azure import ml

        ml.warm()

    def gather(self, call: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """What a call gives for each item, several at once, in order."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(READERS) as readers:
            return list(readers.map(call, items))

    def workspace_id(self) -> str:
        """The ARM id of the workspace."""
        from shared.azure import arm

        return arm.workspace_id()


_outside: Outside = Azure()


def outside() -> Outside:
    """The outside of this process."""
    return _outside


def use(other: Outside) -> None:
    """Sets the outside of this process."""
    global _outside
    _outside = other


def remembered(key: str, seconds: float, make: Callable[[], Any]) -> Any:
    """What `make` gave for a key within the last `seconds`, or gives now."""
    from shared import clock

    present = clock.monotonic()
    known = outside().memory.get(key)
    if known is None or present - known[0] > seconds:
        known = (present, make())
        outside().memory[key] = known
    return known[1]
