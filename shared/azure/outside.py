"""Everything outside that droptune calls, by one name each; the simulation puts a world of its own here.

What the gateways raise are our errors (`shared.errors`), whatever SDK is behind them; none of them decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from shared.azure.seen import (
        Component,
        Compute,
        Job,
        JobSpec,
        Listed,
        Model,
        OnlineDeployment,
        OnlineEndpoint,
        Reply,
        Size,
        Usage,
    )


READERS = 8


class Staged(Protocol):
    """A blob that is written piece by piece and seen whole or not at all."""

    bytes_written: int

    @property
    def sha256_body(self) -> str:
        """Of all that was written, without the head; after `commit`."""

    def write(self, data: bytes) -> None:
        """Takes the next bytes."""

    def set_head(self, data: bytes) -> None:
        """Takes what stands before all that."""

    def commit(self, *, content_type: str) -> str:
        """Makes it visible; its ETag."""

    def abandon(self) -> None:
        """Forgets it."""


class Blobs(Protocol):
    """The blobs of the storage account."""

    def read(self, container: str, path: str, most: int | None) -> tuple[bytes, str]: ...
    def write(
        self, container: str, path: str, data: bytes, *, if_match: str | None, create: bool, content_type: str
    ) -> str: ...
    def write_file(self, container: str, path: str, data: IO[bytes], told: Callable[[int], None] | None) -> None: ...
    def chunks(self, container: str, path: str, etag: str) -> Iterator[bytes]: ...
    def stream(self, container: str, path: str, etag: str, size: int) -> Iterator[bytes]: ...
    def seekable(self, container: str, path: str, etag: str, size: int) -> BinaryIO: ...
    def stage(self, container: str, path: str, block: int) -> Staged: ...
    def properties(self, container: str, path: str) -> Listed | None: ...
    def list(self, container: str, prefix: str) -> list[Listed]: ...
    def delete(self, container: str, path: str, if_match: str | None) -> None: ...
    def tag(self, container: str, path: str, tags: dict[str, str]) -> None: ...
    def now(self, container: str) -> datetime: ...


class Queue(Protocol):
    """The work queue."""

    def send(self, body: str, delay: float) -> None: ...


class Topics(Protocol):
    """The topic of lifecycle events."""

    def publish(self, event_type: str, subject: str, data: dict[str, Any]) -> None: ...


class Jobs(Protocol):
    """Jobs of the workspace."""

    def find(self, name: str) -> Job | None: ...
    def submit(self, spec: JobSpec) -> Job: ...
    def cancel(self, name: str) -> None: ...
    def children(self, name: str) -> list[Job]: ...
    def tagged(self, tag: str, since: datetime) -> list[Job]: ...
    def metrics(self, name: str) -> dict[str, float]: ...
    def curve(self, name: str, metric: str) -> list[list[float]]: ...


class Models(Protocol):
    """Registered models of the workspace."""

    def find(self, name: str, version: str) -> Model | None: ...
    def register(self, name: str, version: str, path: str, description: str, tags: dict[str, str]) -> Model: ...


class Registry(Protocol):
    """The registry of base models and pipelines."""

    def model(self, name: str, version: str | None) -> Model: ...
    def component(self, name: str) -> Component: ...


class Computes(Protocol):
    """Clusters, sizes and quotas of the workspace."""

    def find(self, name: str) -> Compute | None: ...
    def start(self, name: str, size: str, nodes: int, tags: dict[str, str]) -> None: ...
    def sizes(self) -> list[Size]: ...
    def usages(self) -> list[Usage]: ...


class Online(Protocol):
    """Online endpoints and deployments: nothing here waits."""

    def find(self, endpoint: str) -> OnlineEndpoint | None: ...
    def all(self) -> list[OnlineEndpoint]: ...
    def start(self, endpoint: str, description: str, tags: dict[str, str]) -> None: ...
    def set_traffic(self, endpoint: str, traffic: dict[str, int]) -> None: ...
    def delete(self, endpoint: str) -> None: ...
    def key(self, endpoint: str) -> str: ...
    def deployment(self, endpoint: str, name: str) -> OnlineDeployment | None: ...
    def deployments(self, endpoint: str) -> list[OnlineDeployment]: ...
    def start_deployment(
        self, endpoint: str, name: str, model_id: str, instance_type: str, tags: dict[str, str]
    ) -> None: ...
    def delete_deployment(self, endpoint: str, name: str) -> None: ...
    def log(self, endpoint: str, deployment: str) -> str: ...
    def requests(self, endpoint: str, since: datetime, until: datetime) -> dict[str, float]: ...


class Inference(Protocol):
    """Asking a deployment or an endpoint."""

    def probe(self, uri: str, key: str, deployment: str, body: bytes) -> Reply: ...
    async def ask(self, uri: str, key: str, body: bytes) -> Reply: ...


class Outside(Protocol):
    """All of it, and what this process remembers of it."""

    memory: dict[str, Any]

    @property
    def blobs(self) -> Blobs: ...
    @property
    def queue(self) -> Queue: ...
    @property
    def topics(self) -> Topics: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def models(self) -> Models: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def computes(self) -> Computes: ...
    @property
    def online(self) -> Online: ...
    @property
    def inference(self) -> Inference: ...
    def warm(self) -> None: ...
    def gather(self, call: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]: ...
    def workspace_id(self) -> str: ...


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
