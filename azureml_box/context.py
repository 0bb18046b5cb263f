"""Everything that a request handler needs, in one place."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from azureml_box.config import Config
from azureml_box.environments.keeping import Environments
from azureml_box.events import EventPublisher
from azureml_box.faults.book import FaultBook
from azureml_box.faults.calls import CallLog
from azureml_box.operations import Operations
from azureml_box.provisioning import Provisioning
from azureml_box.storage import BlobStorage
from azureml_box.store import Store

if TYPE_CHECKING:
    from azureml_box.jobs import JobEngine
    from azureml_box.schedules import Scheduler
    from azureml_box.serving import Serving


@dataclass
class Box:
    """One running emulator; `jobs`, `serving` and `schedules` are set by `app.build`, since they need the Box themselves.

    `unsupported` counts what was asked for in vain; a `loose` emulator only counts (`azureml_box.strictness`).
    """

    config: Config
    store: Store
    storage: BlobStorage
    events: EventPublisher
    operations: Operations
    faults: FaultBook = field(init=False)
    calls: CallLog = field(init=False)
    provisioning: Provisioning = field(default_factory=Provisioning)
    unsupported: Counter[str] = field(default_factory=Counter)
    snapshotting: asyncio.Lock = field(default_factory=asyncio.Lock)
    jobs: JobEngine = field(init=False)
    serving: Serving = field(init=False)
    schedules: Scheduler = field(init=False)

    @cached_property
    def environments(self) -> Environments:
        """The virtual environments of jobs and deployments, which outlive a reset."""
        return Environments(self.config.home / "environments")

    def __post_init__(self) -> None:
        self.faults, self.calls = FaultBook(self.store), CallLog(self.store)

    @property
    def loose(self) -> bool:
        """Whether what is not known is let through and counted."""
        return self.config.loose
