"""Containers, the work queue and the clock."""

from __future__ import annotations

from shared import clock
from shared.azure import blobs, queue
from shared.azure.blobs import Container
from shared.doctor import mends
from shared.doctor.findings import Check, Finding, ok, warning, wrong
from shared.health import CONTAINERS
from shared.settings import settings

SKEW_WARNING, SKEW_WRONG = 30.0, 240.0  # seconds; storage and Entra ID refuse what is five minutes off
OLD_MESSAGE = 900.0  # a visible message that nobody took for so long: the functions do not run


def checks() -> list[Check]:
    """Containers and queue of the account, and this machine's clock against its."""
    return [
        ("containers", _containers, mends.PROVISION),
        ("queue", _queue, mends.PROVISION),
        ("clock", lambda: clock_skew("clock"), ""),
    ]


def _containers() -> Finding:
    wanted = (*CONTAINERS, "canary")
    absent = blobs.exists_all(wanted)
    if absent:
        return wrong("containers", f"missing: {', '.join(absent)}", mends.PROVISION)
    return ok("containers", f"all {len(wanted)} are there")


def _queue() -> Finding:
    name = settings().queue_name
    seen = queue.look()
    if seen.poisoned:
        told = f"{seen.poisoned} messages were given up after five tries"
        return warning("queue", told, "droptune problems")
    if seen.oldest > OLD_MESSAGE:
        told = f"the first of {seen.waiting} messages has waited for {seen.oldest / 60:.0f} minutes: nobody takes them"
        return wrong("queue", told, f"{mends.DEPLOY} (is {name!r} the functions' queue? docs/operations.md, queue)")
    return ok("queue", f"{name}: {seen.waiting} messages, the oldest {seen.oldest:.0f} s old")


def clock_skew(name: str) -> Finding:
    """This machine's clock against the storage's."""
    service = Container("canary").now()
    skew = (clock.now() - service).total_seconds()
    told = f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the storage's"
    if abs(skew) >= SKEW_WRONG:
        return wrong(name, f"{told}: tokens and conditions are refused", "sudo timedatectl set-ntp true")
    if abs(skew) >= SKEW_WARNING:
        return warning(name, told, "sudo timedatectl set-ntp true")
    return ok(name, told)
