"""Online endpoints in memory: provisioning takes time, traffic has rules, deployments are billed until they are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.azure.seen import OnlineDeployment, OnlineEndpoint, Reply, Served
from shared.errors import ConflictError, NotFoundError, RejectedError
from tests.simulation.outside.gate import Gate

CANARY = "canary-key-that-nobody-may-see"
MINUTE = "%Y-%m-%dT%H:%M"
NONE: Reply = Reply(404)


@dataclass(eq=False)
class FakeDeployment:
    """A deployment; it is billed from `made` until `gone`."""

    endpoint: str
    name: str
    model_id: str
    instance_type: str
    tags: dict[str, str]
    made: float
    state: str = "creating"
    ready: float | None = None
    gone: float | None = None
    log: str = ""

    def seen(self) -> OnlineDeployment:
        """As a client sees it."""
        return OnlineDeployment(self.name, self.state, dict(self.tags), self.instance_type)


@dataclass(eq=False)
class FakeEndpoint:
    """An endpoint with its deployments, traffic and requests by minute."""

    name: str
    tags: dict[str, str]
    made: float
    state: str = "creating"
    traffic: dict[str, int] = field(default_factory=dict)
    deployments: dict[str, FakeDeployment] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    mirror: dict[str, int] = field(default_factory=dict)
    served: Counter[tuple[str, str, bool]] = field(default_factory=Counter)

    def seen(self) -> OnlineEndpoint:
        """As a client sees it."""
        shares = {name: share for name, share in self.traffic.items() if share > 0}
        uri, mirror = f"https://{self.name}/score", {name: share for name, share in self.mirror.items() if share > 0}
        return OnlineEndpoint(self.name, self.state, dict(self.tags), shares, uri, mirror)


@dataclass
class Takes:
    """How long things take, in seconds, and whether a deployment comes up."""

    endpoint: float = 20.0
    traffic: float = 10.0
    deployment: Callable[[FakeDeployment], float] = lambda made: 300.0
    fails: Callable[[FakeDeployment], bool] = lambda made: False
    breaks: Callable[[FakeDeployment], bool] = lambda made: False  # it is up, and answers with an error
    down: Callable[[FakeDeployment], bool] = lambda made: False  # its container starts again and again
    says: Callable[[FakeDeployment], bytes] = lambda made: b'"ok"'
    deletion: float = 15.0
    lag: float = 0.0


class FakeOnline:
    """Managed online endpoints."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.endpoints: dict[str, FakeEndpoint] = {}
        self.ever: list[FakeDeployment] = []
        self.takes = Takes()
        self.heard: list[Callable[[str, Any], None]] = []

    def find(self, endpoint: str) -> OnlineEndpoint | None:
        """The endpoint, or None."""

        def effect() -> OnlineEndpoint | None:
            found = self.endpoints.get(endpoint)
            return found.seen() if found else None

        return self._gate.call("endpoint get", endpoint, effect, None)

    def all(self) -> list[OnlineEndpoint]:
        """All of the workspace."""
        return self._gate.call(
            "endpoint list", "", lambda: [self.endpoints[name].seen() for name in sorted(self.endpoints)]
        )

    def start(self, endpoint: str, description: str, tags: dict[str, str]) -> None:
        """Starts making one."""
        self._gate.call("endpoint create", endpoint, lambda: self.make(endpoint, tags))

    def make(self, endpoint: str, tags: dict[str, str]) -> FakeEndpoint:
        """A PUT replaces what was there: without traffic in it there is none."""
        known = self.endpoints.get(endpoint)
        if known is not None:
            self._refuse_busy(known)
            known.tags, known.traffic, known.mirror = dict(tags), {}, {}
            self._tell("traffic", known)
            return known
        made = self.endpoints[endpoint] = FakeEndpoint(endpoint, dict(tags), self._now)
        self._tell("endpoint made", made)
        self._later(self.takes.endpoint, lambda: self._settle(made))
        return made

    def set_traffic(self, endpoint: str, traffic: dict[str, int], mirror: dict[str, int]) -> None:
        """Moves traffic to deployments that exist; it sums to 0 or 100."""
        told = f"{endpoint} {traffic}" + (f" mirrored {mirror}" if mirror else "")
        self._gate.call("traffic update", told, lambda: self._move(endpoint, traffic, mirror))

    def _move(self, endpoint: str, traffic: dict[str, int], mirror: dict[str, int]) -> None:
        found = self._get(endpoint)
        self._refuse_busy(found)
        unknown = [name for name in (*traffic, *mirror) if name not in found.deployments]
        if unknown:
            raise RejectedError(f"the deployment {unknown[0]} in traffic does not exist", status=400)
        if sum(traffic.values()) not in (0, 100):
            raise RejectedError("the traffic must sum to 0 or 100", status=400)
        if sum(mirror.values()) > 50 or (any(mirror.values()) and any(traffic.get(name) for name in mirror)):
            raise RejectedError("at most 50 % are mirrored, to one that has no live traffic", status=400)
        found.traffic, found.mirror = dict(traffic), dict(mirror)
        if self.takes.traffic:
            found.state = "updating"
            self._later(self.takes.traffic, lambda: self._settle(found))
        self._tell("traffic", found)

    def delete(self, endpoint: str) -> None:
        """Starts deleting an endpoint with all its deployments."""

        def effect() -> None:
            found = self.endpoints.get(endpoint)
            if found is None or found.state == "deleting":
                return
            found.state = "deleting"
            self._tell("endpoint deleting", found)
            for deployment in found.deployments.values():
                deployment.state = "deleting"
            self._later(self.takes.deletion, lambda: self._forget(found))

        self._gate.call("endpoint delete", endpoint, effect, None)

    def key(self, endpoint: str) -> str:
        """Its key."""
        return self._gate.call("endpoint keys", endpoint, lambda: f"{CANARY}-{self._get(endpoint).name}")

    def deployment(self, endpoint: str, name: str) -> OnlineDeployment | None:
        """The deployment, or None."""

        def effect() -> OnlineDeployment | None:
            found = self._deployment(endpoint, name)
            return found.seen() if found else None

        return self._gate.call("deployment get", f"{endpoint}/{name}", effect, None)

    def deployments(self, endpoint: str) -> list[OnlineDeployment]:
        """All of an endpoint."""

        def effect() -> list[OnlineDeployment]:
            found = self.endpoints.get(endpoint)
            return [found.deployments[name].seen() for name in sorted(found.deployments)] if found else []

        return self._gate.call("deployment list", endpoint, effect, [])

    def start_deployment(
        self, endpoint: str, name: str, model_id: str, instance_type: str, tags: dict[str, str]
    ) -> str:
        """Starts making one, or replaces what bears the name."""
        self._gate.call(
            "deployment create",
            f"{endpoint}/{name}",
            lambda: self.deploy(endpoint, name, model_id, instance_type, tags),
        )
        return f"/operations/{endpoint}/{name}"

    def failure(self, operation: str) -> tuple[str, str]:
        """Why one failed."""

        def effect() -> tuple[str, str]:
            found = self._deployment(*operation.split("/")[-2:]) if operation else None
            failed = found is not None and found.state == "failed"
            return ("ResourceNotReady", "User container has crashed or terminated") if failed else ("", "")

        return self._gate.call("operation get", operation, effect, ("", ""))

    def deploy(
        self, endpoint: str, name: str, model_id: str, instance_type: str, tags: dict[str, str]
    ) -> FakeDeployment:
        """Begins to be billed at once."""
        owner = self._get(endpoint)
        if owner.state == "deleting":
            raise ConflictError(f"the endpoint {endpoint} is being deleted", status=409)
        known = owner.deployments.get(name)
        if known is not None and known.state in ("creating", "updating", "deleting"):
            raise ConflictError(f"the deployment {name} is {known.state}", status=409)
        made = known or FakeDeployment(endpoint, name, model_id, instance_type, dict(tags), self._now)
        made.model_id, made.tags, made.instance_type = model_id, dict(tags), instance_type
        made.state = "updating" if known else "creating"
        if known is None:
            owner.deployments[name] = made
            self.ever.append(made)
        self._tell("deployment made" if known is None else "deployment updated", made)
        self._later(self.takes.deployment(made), lambda: self._come_up(made))
        return made

    def _come_up(self, made: FakeDeployment) -> None:
        if made.state not in ("creating", "updating") or made.gone is not None:
            return
        if self.takes.fails(made):
            made.state, made.log = "failed", "started\nOutOfMemoryError: the model does not fit\n"
        else:
            made.state, made.ready = "succeeded", self._now
        self._tell("deployment settled", made)

    def delete_deployment(self, endpoint: str, name: str) -> None:
        """Starts deleting one: not while it takes traffic."""

        def effect() -> None:
            found = self._deployment(endpoint, name)
            if found is None or found.state == "deleting":
                return
            if self.endpoints[endpoint].traffic.get(name):
                raise RejectedError(f"the deployment {name} takes traffic; set that to 0 first", status=400)
            found.state = "deleting"
            self._tell("deployment deleting", found)
            self._later(self.takes.deletion, lambda: self._take_away(found))

        self._gate.call("deployment delete", f"{endpoint}/{name}", effect, None)

    def log(self, endpoint: str, deployment: str) -> str:
        """The container's log."""

        def effect() -> str:
            found = self._deployment(endpoint, deployment)
            return found.log if found else ""

        return self._gate.call("deployment log", f"{endpoint}/{deployment}", effect, "")

    def requests(self, endpoint: str, since: datetime, until: datetime) -> dict[str, float]:
        """By minute; what is younger than the lag is not there yet."""

        def effect() -> dict[str, float]:
            found = self._get(endpoint)
            newest = min(until, datetime.fromtimestamp(self._now - self.takes.lag, UTC)).strftime(MINUTE)
            oldest = since.strftime(MINUTE)
            return {minute: float(count) for minute, count in found.requests.items() if oldest <= minute < newest}

        return self._gate.call("metric query", endpoint, effect)

    def served(self, endpoint: str, since: datetime, until: datetime) -> dict[str, Served]:
        """By deployment, from the minute of `since` on."""

        def effect() -> dict[str, Served]:
            found = self._get(endpoint)
            newest = min(until, datetime.fromtimestamp(self._now - self.takes.lag, UTC)).strftime(MINUTE)
            oldest = since.strftime(MINUTE)
            whole: dict[str, list[float]] = {}
            for (name, minute, failed), count in found.served.items():
                if oldest <= minute <= newest:
                    sums = whole.setdefault(name, [0.0, 0.0])
                    sums[0] += count
                    sums[1] += count if failed else 0
            return {name: Served(asked, failed, 100.0) for name, (asked, failed) in whole.items()}

        return self._gate.call("metric query", f"{endpoint} by deployment", effect)

    @property
    def _now(self) -> float:
        return self._gate.kernel.now

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._gate.kernel.after(seconds, call)

    def _settle(self, endpoint: FakeEndpoint) -> None:
        if endpoint.state != "deleting":
            endpoint.state = "succeeded"

    def _take_away(self, deployment: FakeDeployment) -> None:
        owner = self.endpoints.get(deployment.endpoint)
        if deployment.gone is not None or owner is None:
            return
        deployment.gone = self._now
        owner.deployments.pop(deployment.name, None)
        owner.traffic.pop(deployment.name, None)
        self._tell("deployment gone", deployment)

    def _forget(self, endpoint: FakeEndpoint) -> None:
        for deployment in list(endpoint.deployments.values()):
            self._take_away(deployment)
        self.endpoints.pop(endpoint.name, None)
        self._tell("endpoint gone", endpoint)

    def _get(self, endpoint: str) -> FakeEndpoint:
        found = self.endpoints.get(endpoint)
        if found is None:
            raise NotFoundError(f"there is no endpoint {endpoint}", status=404)
        return found

    def _deployment(self, endpoint: str, name: str) -> FakeDeployment | None:
        owner = self.endpoints.get(endpoint)
        return owner.deployments.get(name) if owner else None

    def _refuse_busy(self, endpoint: FakeEndpoint) -> None:
        if endpoint.state in ("creating", "updating", "deleting"):
            raise ConflictError(f"the endpoint {endpoint.name} is {endpoint.state}", status=409)

    def _tell(self, what: str, about: Any) -> None:
        for hear in self.heard:
            hear(what, about)


class FakeInference:
    """Asking what answers, or not."""

    def __init__(self, gate: Gate, online: FakeOnline) -> None:
        self._gate, self._online = gate, online

    def probe(self, uri: str, key: str, deployment: str, body: bytes) -> Reply:
        """Asks one deployment."""
        return self._gate.call("invoke probe", f"{uri} {deployment}", lambda: self.answer(uri, key, deployment))

    async def ask(self, uri: str, key: str, body: bytes, deployment: str = "") -> Reply:
        """Asks an endpoint, or one of its deployments."""
        return self._gate.call("invoke", f"{uri} {deployment}".strip(), lambda: self.answer(uri, key, deployment, True))

    def answer(self, uri: str, key: str, wanted: str, client: bool = False) -> Reply:
        """What an endpoint, or one of its deployments, answers."""
        found = self._online.endpoints.get(uri.removeprefix("https://").removesuffix("/score"))
        if found is None:
            return NONE
        if key != f"{CANARY}-{found.name}":
            return Reply(401)
        name = wanted or self._drawn(found)
        deployment = found.deployments.get(name)
        minute = datetime.fromtimestamp(self._gate.kernel.now, UTC).strftime(MINUTE)
        found.requests[minute] += 1
        if deployment is None:
            return NONE
        if self._online.takes.down(deployment):
            return Reply(424, {"ms-azureml-model-error-statuscode": "503"})
        up = deployment.state in ("succeeded", "updating")
        bad = not up or (not wanted and self._online.takes.breaks(deployment))
        found.served[name, minute, bad] += 1
        if bad:
            return Reply(503 if not up else 424)
        for hear in self._online.heard:
            hear("probed" if wanted and not client else "answered", deployment)
        return Reply(200, {}, self._online.takes.says(deployment))

    def _drawn(self, endpoint: FakeEndpoint) -> str:
        """A deployment by its share of the traffic; the dice are thrown only where there is a choice."""
        shares = {name: share for name, share in endpoint.traffic.items() if share > 0}
        if len(shares) < 2:
            return next(iter(shares), "")
        return self._gate.kernel.random.choices(list(shares), list(shares.values()))[0]
