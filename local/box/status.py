"""How the box's services are."""

import asyncio
from dataclasses import dataclass
from typing import Any

import psutil

from local.box import health
from local.box.config import BoxConfig
from local.box.services import SERVICES


@dataclass(frozen=True)
class ServiceStatus:
    """One service; `rss_mb` is its processes' memory."""

    name: str
    url: str
    pids: tuple[int, ...]
    healthy: bool
    rss_mb: float

    def as_json(self) -> dict[str, Any]:
        """Return it as INTERFACES has it."""
        first = self.pids[0] if self.pids else None
        document: dict[str, Any] = {"url": self.url, "pid": first, "healthy": self.healthy, "rss_mb": self.rss_mb}
        return document | ({"pids": list(self.pids)} if len(self.pids) > 1 else {})


@dataclass(frozen=True)
class BoxStatus:
    """All services."""

    home: str
    services: tuple[ServiceStatus, ...]

    @property
    def healthy(self) -> bool:
        """Tell whether every service is."""
        return all(one.healthy for one in self.services)

    def as_json(self) -> dict[str, Any]:
        """Return `{"services": {NAME: …}}`."""
        return {"home": self.home, "services": {one.name: one.as_json() for one in self.services}}


async def look(config: BoxConfig, pids: dict[str, list[int]]) -> BoxStatus:
    """Ask all services at once; one without a process of ours is not healthy, whoever answers at its port."""
    async with health.client(config) as session:
        answers = await asyncio.gather(*(health.is_healthy(session, one.health_url(config)) for one in SERVICES))
    found = []
    for service, answer in zip(SERVICES, answers, strict=True):
        mine = tuple(pids.get(service.name, ()))
        memory = round(sum(_memory(pid) for pid in mine), 1)
        found.append(ServiceStatus(service.name, service.url(config), mine, answer and bool(mine), memory))
    return BoxStatus(str(config.home), tuple(found))


def _memory(pid: int) -> float:
    try:
        return float(psutil.Process(pid).memory_info().rss) / 1024**2
    except psutil.Error:
        return 0.0
