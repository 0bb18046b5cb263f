"""A canary: by which steps a new deployment gets its traffic, and when it has turned bad. Rules, without I/O."""

from __future__ import annotations

from typing import Any, NamedTuple

from shared.azure.seen import Served

MORE_FAILURES = 0.05  # a share of failures that is higher by so much than the stable deployment's
FEWEST_FAILURES = 2  # one failure is an accident
SLOWER = 2.0
SLOWER_BY_MS = 500.0
FEWEST_TIMED = 5


class Step(NamedTuple):
    """A step: the new deployment gets `share` per cent of the traffic, or (`mirror`) a copy of so much of it."""

    share: int
    mirror: bool = False

    def traffic(self, new: str, stable: str) -> tuple[dict[str, int], dict[str, int]]:
        """What goes to whom, and what is mirrored: live traffic always sums to 100.

        >>> Step(10).traffic("new", "old"), Step(20, mirror=True).traffic("new", "old")
        (({'old': 90, 'new': 10}, {}), ({'old': 100}, {'new': 20}))
        """
        if self.mirror:
            return {stable: 100}, {new: self.share}
        return {name: share for name, share in ((stable, 100 - self.share), (new, self.share)) if share}, {}


def steps(deploy: dict[str, Any]) -> list[Step]:
    """The steps of `[deploy]`: mirrored traffic first, then the canary's; none where it asks for none."""
    mirror = [Step(int(deploy["mirror"]), mirror=True)] if deploy.get("mirror") else []
    return [*mirror, *(Step(int(share)) for share in deploy.get("canary") or [])]


def wrong(new: Served, stable: Served, repeated: int = 0, sent: float = 0.0) -> str:
    """Why a canary is bad, in words; empty where nothing speaks against it.

    `new` and `stable` are what the service counted; `repeated` answers of the canary failed for callers of the function
    app and were given by the stable deployment instead, out of about `sent` that it was asked for there.
    """
    usual = stable.failed / stable.requests if stable.requests else 0.0
    if _fails(new.failed, new.requests, usual):
        return f"{new.failed:.0f} of its {new.requests:.0f} answers failed, {usual:.0%} of the stable deployment's"
    if _fails(repeated, max(sent, repeated), usual):
        return (
            f"{repeated} of its about {max(sent, repeated):.0f} answers failed and were given by the stable deployment"
        )
    slow = new.milliseconds > max(SLOWER * stable.milliseconds, stable.milliseconds + SLOWER_BY_MS)
    if slow and min(new.requests, stable.requests) >= FEWEST_TIMED:
        return f"it takes {new.milliseconds:.0f} ms an answer, the stable deployment {stable.milliseconds:.0f} ms"
    return ""


def _fails(failed: float, asked: float, usual: float) -> bool:
    return failed >= FEWEST_FAILURES and failed / asked > usual + MORE_FAILURES
