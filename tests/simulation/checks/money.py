"""Nothing bills without a recorded owner, longer than it is used, or twice for the same."""

from __future__ import annotations

from typing import Any

from tests.simulation.checker import Judge, shows
from tests.simulation.history import History
from tests.simulation.outside.online import FakeDeployment, FakeEndpoint
from tests.simulation.setting import IDLE, LAG

TICK = 300.0
RACE = 120.0  # a look, a second look and the call itself
LOOK = 3.5  # a mark of use is written within a second, a second look takes two
HOLD = 2 * (600.0 + LAG + TICK)  # this step of a canary and the one at 100 per cent
ENDING = 1200.0  # deleting, the longest back-off that earlier faults left, and the ticks between


class Money(Judge):
    """Endpoints and deployments."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self.serving: dict[str, str] = {}
        self.probed: set[str] = set()
        self.in_part: dict[str, float] = {}
        self.answered: set[str] = set()
        self.simulation.world.online.heard.append(self._online)

    def _online(self, what: str, about: Any) -> None:
        if isinstance(about, FakeEndpoint):
            if about.name in self.history.foreign:
                return
            if what == "endpoint made":
                self.endpoint_is_recorded(about)
            elif what == "traffic":
                self._traffic(about)
        elif (
            f"{about.endpoint}/{about.name}" not in self.history.foreign and about.endpoint not in self.history.foreign
        ):
            self._deployment(what, about)

    def _deployment(self, what: str, about: FakeDeployment) -> None:
        name = f"{about.endpoint}/{about.name}"
        if what in ("probed", "answered"):
            self.probed.add(name)
        if what == "answered":
            ours = self.simulation.kernel.current is not None  # who asks past droptune is seen by the metric, late
            if ours:
                self.answered.add(name)
            (self.history.used if ours else self.history.direct)[about.endpoint] = self.simulation.kernel.now
        elif what == "deployment made":
            self.deployment_is_recorded(about)
            self.one_deployment_a_model(about)

    def _record(self, endpoint: str) -> bytes:
        records = self.simulation.world.blobs.containers.get("endpoints", {})
        return b"".join(
            blob.data for path, blob in records.items() if "/" not in path and endpoint.encode() in blob.data
        )

    def _leaving(self, endpoint: str) -> bytes:
        """The part of an endpoint's record that names what is about to go: the same model may be made again meanwhile."""
        return self._record(endpoint).partition(b'"leaving"')[2].partition(b"]")[0]

    @shows(27)
    def endpoint_is_recorded(self, endpoint: FakeEndpoint) -> None:
        """27: an endpoint that is made is named in a record."""
        if not self._record(endpoint.name):
            self.wrong((27,), f"the endpoint {endpoint.name} is in no record")

    @shows(27)
    def deployment_is_recorded(self, deployment: FakeDeployment) -> None:
        """27: a deployment that begins to bill is named in its endpoint's record."""
        if f'"{deployment.name}"'.encode() not in self._record(deployment.endpoint):
            self.wrong((27,), f"the deployment {deployment.endpoint}/{deployment.name} bills and is in no record")

    @shows(33, 38)
    def one_deployment_a_model(self, deployment: FakeDeployment) -> None:
        """33, 38: for any number of callers, and any lost answer, one deployment of a model is made at a time."""
        owner = self.simulation.world.online.endpoints[deployment.endpoint]
        same = [
            other.name
            for other in owner.deployments.values()
            if other.model_id == deployment.model_id and other.state not in ("deleting", "failed")
        ]
        same = [name for name in same if f'"deployment": "{name}"'.encode() not in self._leaving(deployment.endpoint)]
        if len(same) > 1:
            self.wrong((33,), f"{deployment.endpoint} has the deployments {same} of one model")

    def _traffic(self, endpoint: FakeEndpoint) -> None:
        before = self.serving.get(endpoint.name, "")
        shares = {name: share for name, share in endpoint.traffic.items() if share > 0}
        self.serving[endpoint.name] = next((name for name, share in shares.items() if share == 100), before)
        for name in shares:
            self.moved_to_what_answers(endpoint, name)
        for name in endpoint.deployments if len(shares) > 1 or endpoint.mirror else ():
            self.in_part[f"{endpoint.name}/{name}"] = self.simulation.kernel.now + HOLD
        if not shares:
            self.serving[endpoint.name] = ""
            if before:
                self.not_in_use(endpoint, before)

    @shows(36)
    def moved_to_what_answers(self, endpoint: FakeEndpoint, name: str) -> None:
        """36: traffic goes to a deployment that is up, and at first to one that has answered a row."""
        made = endpoint.deployments[name]
        if made.state != "succeeded":
            self.wrong((36,), f"the traffic of {endpoint.name} went to {name}, which is {made.state}")
        known = any(
            f"{other.endpoint}/{other.name}" in self.probed
            for other in self.simulation.world.online.ever
            if other.model_id == made.model_id
        )
        if not known:
            self.wrong((36,), f"the traffic of {endpoint.name} went to {name}, which never answered")

    @shows(29, 30, 36, 41)
    def not_in_use(self, endpoint: FakeEndpoint, name: str) -> None:
        """29, 30, 36, 41: traffic ends where nobody asked for the idle window, or where people ended it; no clock hastens it."""
        now, used = self.simulation.kernel.now, self.history.used.get(endpoint.name, 0.0)
        folder = endpoint.tags.get("droptune", "")
        direct = self.history.direct.get(endpoint.name, 0.0)
        ready = endpoint.deployments[name].ready or 0.0 if name in endpoint.deployments else 0.0
        since = max(used, ready)
        race = 1000.0 if self.simulation.stops else LAG + 90.0 if self._killed() else RACE
        asked = [*self.history.sleeps[folder], *self.history.cancels[folder]]
        unknown = f"{endpoint.name}/{name}" not in self.answered
        if unknown and (self.simulation.permanent or self._overtaken(endpoint, name)):
            return  # it failed, or gave way, before droptune sent anybody there
        if LAG + RACE < now - direct < IDLE - 60 and not asked and not self.simulation.stops:
            self.wrong(
                (29, 30), f"{endpoint.name} lost its traffic {now - direct:.0f} s after somebody asked it directly"
            )
        if self._at_ease() and LOOK < now - used < IDLE - 60 and not asked:
            self.wrong((30,), f"{endpoint.name} lost its traffic {now - used:.0f} s after a client was answered")
        if RACE < now - since < IDLE - 60 and now - used > race and not asked:
            self.wrong((29, 30), f"{endpoint.name} lost its traffic {now - since:.0f} s after it was used or made")

    def _last_use(self, endpoint: str) -> float:
        return max(self.history.used.get(endpoint, 0.0), self.history.direct.get(endpoint, 0.0))

    def _killed(self) -> bool:
        """Whether a mark of use may be lost with its process: then the metric alone tells, a minute and its lag later."""
        return bool(self.simulation.kills) or any("kill" in fault for _, fault in self.simulation.faults.fired)

    def _at_ease(self) -> bool:
        """Whether no mark of use can have been lost, and no call was slow."""
        simulation = self.simulation
        lost = any(point.startswith(("use", "queue")) or "kill" in fault for point, fault in simulation.faults.fired)
        return not (lost or simulation.stops or simulation.slow or simulation.kills)

    def _overtaken(self, endpoint: FakeEndpoint, name: str) -> bool:
        """Whether something newer, or of the same second, was dropped: it gave way before it was live."""
        key = self.history.key_of(endpoint.deployments[name]) if name in endpoint.deployments else None
        wishes = self.history.wishes(key[0]) if key else []
        ours = min((int(wish.order[0]) for wish in wishes if wish.key == key), default=0)
        return len([wish for wish in wishes if max(wish.order) >= ours]) > 1

    @shows(29, 32)
    def end_nothing_bills_long(self) -> None:
        """29, 32: in quiet times a deployment goes within its idle window, the metrics' lag, a tick and its deletion."""
        simulation = self.simulation
        for made in simulation.world.online.ever:
            if made.endpoint in self.history.foreign or f"{made.endpoint}/{made.name}" in self.history.foreign:
                continue
            key, last = f"{made.endpoint}/{made.name}", self._last_use(made.endpoint)
            tried = self.in_part.get(key, 0.0)  # while a canary is looked at, nobody need use it
            begins = max(made.made, last, made.ready or 0.0, simulation.quiet_since, tried)
            ends = made.gone or simulation.kernel.now
            bound = IDLE + LAG + 2 * TICK + ENDING + simulation.slack
            if ends - begins > bound:
                self.wrong(
                    (29,), f"{made.endpoint}/{made.name} was billed {ends - begins:.0f} s unused, more than {bound:.0f}"
                )
