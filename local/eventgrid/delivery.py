"""Brings events to their subscribers: at once, then again by the schedule, in the end as dead letters.

Source: https://learn.microsoft.com/azure/event-grid/delivery-and-retry
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

import msgspec

from local.eventgrid.schedule import delay, give_up_reason
from local.eventgrid.store import Delivery, Store
from local.eventgrid.subscriptions import Event, Subscription, kind_and_subject
from local.eventgrid.webhook import Answer, Webhook, iso

log = logging.getLogger(__name__)
AT_ONCE = 64


class Deliverer:
    """Delivers what is in the store; lives on one event loop."""

    def __init__(
        self, store: Store, subscriptions: list[Subscription], webhook: Webhook, dead_letters: Path, scale: float
    ) -> None:
        self._store, self._webhook, self._dead_letters, self._scale = store, webhook, dead_letters, scale
        self._subscriptions = {one.name: one for one in subscriptions}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.log: deque[dict[str, Any]] = deque(maxlen=2000)

    def is_wanted(self, topic: str, event_type: str, subject: str) -> bool:
        """Tell whether any subscription wants such an event."""
        return any(one.wants(topic, event_type, subject) for one in self._subscriptions.values())

    def accept(self, topic: str, events: Iterable[Event], position: int | None = None) -> None:
        """Keep events for everyone who wants them and start delivering; returns when they are safe on disk."""
        wanted = [
            (subscription.name, event)
            for event in events
            for subscription in self._subscriptions.values()
            if subscription.wants(topic, *kind_and_subject(event))
        ]
        for one in self._store.add(wanted, position):
            self._start(self._deliver(one))

    def resume(self) -> None:
        """Take up what an earlier process left, and shake hands with new endpoints in the background."""
        for one in self._store.pending():
            self._start(self._deliver(one))
        for subscription in self._subscriptions.values():
            self._start(self._shake_hands(subscription))

    def handshakes(self) -> dict[str, bool]:
        """Tell of each subscription whether its endpoint has answered the handshake."""
        return {one.name: self._store.is_validated(one.name, one.endpoint) for one in self._subscriptions.values()}

    async def close(self) -> None:
        """Stop; what was under way is tried again by the next process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, one: Delivery) -> None:
        subscription = self._subscriptions.get(one.subscription)
        if subscription is None:
            return self._store.done(one)
        while True:
            await asyncio.sleep(max(0.0, one.next_at - time.time()))
            async with self._slots:
                answer = await self._attempt(subscription, one)
            if not answer.problem:
                return self._store.done(one)
            if reason := self._reason_to_give_up(subscription, one, answer):
                return self._bury(subscription, one, reason, answer)
            one.next_at = time.time() + delay(one.attempts, self._scale)
            self._store.postpone(one)

    async def _attempt(self, subscription: Subscription, one: Delivery) -> Answer:
        started = time.time()
        if await self._is_valid(subscription):
            answer = await self._webhook.notify(subscription, one.event, one.attempts)
        else:
            answer = Answer(None, "the endpoint has not answered its handshake")
        one.attempts += 1
        self.log.append(_entry(subscription, one, answer, started))
        if answer.problem:
            log.warning("%s: attempt %d at %s: %s", subscription.name, one.attempts, one.event["id"], answer.problem)
        return answer

    async def _is_valid(self, subscription: Subscription) -> bool:
        if self._store.is_validated(subscription.name, subscription.endpoint):
            return True
        if not await self._webhook.validate(subscription):
            return False
        self._store.set_validated(subscription.name, subscription.endpoint)
        return True

    async def _shake_hands(self, subscription: Subscription) -> None:
        pause = 0.2
        while not await self._is_valid(subscription):
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 1.3)

    def _reason_to_give_up(self, subscription: Subscription, one: Delivery, answer: Answer) -> str | None:
        age = time.time() - one.created
        most, ttl = subscription.max_attempts, subscription.ttl
        return give_up_reason(answer.status, one.attempts, age, max_attempts=most, ttl=ttl)

    def _bury(self, subscription: Subscription, one: Delivery, reason: str, answer: Answer) -> None:
        letter = one.event | {
            "deadLetterReason": reason,
            "deliveryAttempts": one.attempts,
            "lastDeliveryOutcome": answer.problem,
            "lastHttpStatusCode": answer.status,
            "publishTime": iso(one.created),
            "lastDeliveryAttemptTime": iso(time.time()),
        }
        self._dead_letters.mkdir(parents=True, exist_ok=True)
        # Numbered by us: a publisher's event id may be no file name.
        (self._dead_letters / f"{subscription.name}-{one.id}.json").write_bytes(msgspec.json.encode([letter]))
        log.error("%s: gave up %s after %d attempts: %s", subscription.name, one.event["id"], one.attempts, reason)
        self._store.done(one)


def _entry(subscription: Subscription, one: Delivery, answer: Answer, started: float) -> dict[str, Any]:
    kind, subject = kind_and_subject(one.event)
    return {
        "subscription": subscription.name,
        "event_id": one.event["id"],
        "event_type": kind,
        "subject": subject,
        "event_time": one.event.get("eventTime") or one.event.get("time"),
        "attempt": one.attempts,
        "started": iso(started),
        "milliseconds": round((time.time() - started) * 1000, 1),
        "status": answer.status,
        "problem": answer.problem,
    }
