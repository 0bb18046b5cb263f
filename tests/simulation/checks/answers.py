"""What clients are told, and how long functions take."""

from __future__ import annotations

from shared.endpoints.scoring import ScoringError
from tests.simulation.checker import Judge, shows

LIMITS = {"BlobCreated": 30.0, "job": 30.0, "ask": 230.0, "": 300.0}


class Answers(Judge):
    """Answers of the scoring path, durations of invocations."""

    @shows(30)
    def end_answered(self) -> None:
        """30: a client is answered, or told to come back with `Retry-After`; never a bare 404, 500, or another error."""
        ever = {made.endpoint for made in self.simulation.world.online.ever if made.ready}
        for at, name, result in self.simulation.answers:
            if isinstance(result, bytes):
                continue
            if not isinstance(result, ScoringError):
                self.wrong((30,), f"a client of {name} got {type(result).__name__}: {result} (asked at {at:.0f})")
            elif result.status in (503, 429) and "Retry-After" not in result.headers:
                self.wrong((30,), f"a client of {name} got {result.status} without Retry-After")
            elif (
                result.status == 404
                and name not in self.history.taken
                and any(endpoint.startswith(name) for endpoint in ever)
            ):
                self._never_before(at, name)
            elif result.status not in (503, 429, 404) and not self._invoke_failed():
                self.wrong((30,), f"a client of {name} got {result.status} {result.code}")

    def _never_before(self, at: float, name: str) -> None:
        live = [made for made in self.simulation.world.online.ever if made.endpoint.startswith(name) and made.ready]
        if live and min(made.ready or 0.0 for made in live) + 600 < at and not self.history.cancels[name]:
            self.wrong((30,), f"a client of {name} got 404 after its model was live")

    def _invoke_failed(self) -> bool:
        return any(point == "invoke" for point, _ in self.simulation.faults.fired)

    @shows(40)
    def end_in_time(self) -> None:
        """40: an event takes at most 30 s, a request 230 s, all else five minutes, each call at its usual pace."""
        if self.simulation.stops or self.simulation.slow:
            return
        for done in self.simulation.platform.invocations:
            limit = next((limit for begin, limit in LIMITS.items() if done.what.startswith(begin)), 300.0)
            if done.ended - done.began > limit:
                self.wrong((40,), f"{done.what} took {done.ended - done.began:.0f} s and {done.calls} calls")
