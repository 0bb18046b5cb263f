"""Everything that a request handler needs, in one place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from azureml_box.config import Config
from azureml_box.events import EventPublisher
from azureml_box.operations import Operations
from azureml_box.storage import BlobStorage
from azureml_box.store import Store

if TYPE_CHECKING:
    from azureml_box.jobs import JobEngine
    from azureml_box.serving import Serving


@dataclass
class Box:
    """One running emulator; `jobs` and `serving` are set by `app.build`, since they need the Box themselves.

    `unsupported` counts what was asked for in vain; a `loose` emulator only counts (`azureml_box.strictness`).
    """

    config: Config
    store: Store
    storage: BlobStorage
    events: EventPublisher
    operations: Operations
    jobs: JobEngine = field(init=False)
    serving: Serving = field(init=False)
    unsupported: Counter[str] = field(default_factory=Counter)
    loose: bool = False
