"""What production code is given in a simulation: a clock, an outside, settings; and what is stubbed, all in one place."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from shared import clock
from shared.azure import outside
from shared.endpoints import line
from shared.settings import settings
from tests.simulation.kernel import SimulatedClock
from tests.simulation.outside.world import World

IDLE, LAG, SWEEP = 1200.0, 300.0, 3600.0
ENVIRONMENT = {
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-4000-8000-00000000d407",
    "AZURE_RESOURCE_GROUP": "sim",
    "AZUREML_WORKSPACE_NAME": "sim",
    "AZURE_STORAGE_ACCOUNT_URL": "https://sim.blob.core.windows.net",
    "AZURE_STORAGE_QUEUE_URL": "https://sim.queue.core.windows.net",
    "DROPTUNE_POLL": "60s",
    "DROPTUNE_IDLE_AFTER": "20m",
    "DROPTUNE_METRICS_LAG": "5m",
    "DROPTUNE_MAX_COST_USD": "1000",
    "DROPTUNE_JOB_TIMEOUT": "90m",
    "DROPTUNE_WEBHOOK_HOSTS": "*.hooks.example",
    "DROPTUNE_EVENTS_ENDPOINT": "https://sim.eventgrid.azure.net/api/events",
}


@contextmanager
def production(stubbed: bool = False) -> Iterator[Callable[[World], None]]:
    """Production code in this process belongs to a world; `stubbed`: reports aren't drawn, a dataset is checked once."""
    before, was = dict(os.environ), (clock._clock, outside._outside)
    os.environ.update(ENVIRONMENT)
    settings.cache_clear()
    logging.getLogger("droptune").setLevel(logging.CRITICAL + 1)
    # There is no event loop to wait in: the line before a deployment takes all, who looks for the endpoint looks alone.
    undo = [_set(asyncio, "to_thread", _direct), _set(asyncio, "Lock", nullcontext), _set(line, "LEAST_SLOTS", 10_000)]
    if stubbed:
        from shared import reports
        from shared.lifecycle.steps import validate
        from tests.simulation.memo import check_once

        undo += [_set(reports, "render", lambda document: ""), _set(reports.tables, "table", lambda profile: {})]
        undo.append(_set(validate.check, "check", check_once))
    try:
        yield _belongs_to
    finally:
        for put_back in undo:
            put_back()
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()
        clock.use(was[0])
        outside.use(was[1])
        logging.getLogger("droptune").setLevel(logging.NOTSET)


def _belongs_to(world: World) -> None:
    outside.use(world)
    clock.use(SimulatedClock(world.kernel))


async def _direct(call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    """In place of `asyncio.to_thread`: there is one thread."""
    return call(*arguments, **named)


def _set(module: Any, name: str, value: Any) -> Callable[[], None]:
    was = getattr(module, name)
    setattr(module, name, value)
    return lambda: setattr(module, name, was)
