"""One call of a subscriber's endpoint: events, or the handshake that a new endpoint must answer.

Source: https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
"""

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import msgspec

from local.eventgrid.subscriptions import Event, Subscription

ANSWER_WITHIN = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True)
class Answer:
    """What came of a call; `status` is None where there was no answer, `problem` is empty where all is well."""

    status: int | None
    problem: str = ""
    body: bytes = b""


class Webhook:
    """Calls endpoints over one pool of connections."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client

    async def notify(self, subscription: Subscription, event: Event, attempts: int) -> Answer:
        """Deliver one event."""
        return await self._post(subscription, "Notification", event, attempts)

    async def validate(self, subscription: Subscription) -> bool:
        """Shake hands: the endpoint must send the code back."""
        code = str(uuid.uuid4())
        event = {
            "id": str(uuid.uuid4()),
            "topic": subscription.topic,
            "subject": "",
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": iso(time.time()),
            "data": {"validationCode": code},
            "dataVersion": "2",
            "metadataVersion": "1",
        }
        answer = await self._post(subscription, "SubscriptionValidation", event, 0)
        return not answer.problem and _echoes(answer.body, code)

    async def _post(self, subscription: Subscription, kind: str, event: Event, attempts: int) -> Answer:
        headers = {
            "aeg-event-type": kind,
            "aeg-subscription-name": subscription.name.upper(),
            "aeg-delivery-count": str(attempts),
            "aeg-data-version": str(event.get("dataVersion", "")),
            "aeg-metadata-version": "1",
            "content-type": "application/json; charset=utf-8",
        }
        body = msgspec.json.encode([event])
        try:
            call = self._client.post(subscription.endpoint, data=body, headers=headers, timeout=ANSWER_WITHIN)
            async with call as answer:
                problem = "" if answer.ok else f"the endpoint answered {answer.status}"
                return Answer(answer.status, problem, await answer.read())
        # The errors' own texts can hold the endpoint's URL and with it the key.
        except TimeoutError:
            return Answer(None, "no answer within 30 s")
        except aiohttp.ClientError as error:
            return Answer(None, f"the endpoint cannot be reached ({type(error).__name__})")


def iso(seconds: float) -> str:
    """Return a time as events have it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _echoes(body: bytes, code: str) -> bool:
    try:
        return bool(msgspec.json.decode(body)["validationResponse"] == code)
    except (msgspec.MsgspecError, KeyError, TypeError):
        return False
