"""While a canary has a part of the traffic, an answer of it that failed is asked for again at the stable deployment.

Azure does not say which deployment answered, so every failed answer of that time is repeated there. Callers that ask the
endpoint past the function app have no such net.
"""

from __future__ import annotations

from shared.azure.outside import outside
from shared.azure.seen import Reply
from shared.endpoints import usage
from shared.runs.records import Endpoint

FAILURES = (0, 408, 424, 500, 502, 503, 504)


async def stable_answer(record: Endpoint, key: str, body: bytes, reply: Reply) -> Reply:
    """The reply itself, or the stable deployment's where a canary runs and the reply was a failure."""
    if not record.canary or not record.deploying or reply.status not in FAILURES:
        return reply
    usage.note(record.name)
    again = await outside().inference.ask(record.scoring_uri, key, body, record.deployment)
    if again.status == 200:
        usage.note_repeated(record.name)
    return again if again.status == 200 else reply
