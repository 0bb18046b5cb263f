"""What may be published to a topic, and by whom.

Sources: https://learn.microsoft.com/azure/event-grid/event-schema and https://github.com/cloudevents/spec (JSON batch).
"""

import hmac
from typing import Any

import jwt
import msgspec

from local.eventgrid.subscriptions import Event

AUDIENCES = ["https://eventgrid.azure.net", "https://eventgrid.azure.net/"]
MAX_BYTES = 1024 * 1024
_GRID = {"id": str, "subject": str, "eventType": str, "eventTime": str, "dataVersion": str}
_CLOUD = {"id": str, "source": str, "type": str, "specversion": str}


class PublishError(Exception):
    """The topic refuses a request."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def authorise(headers: dict[str, str], key: str, public_key: bytes) -> None:
    """Take the topic's key or a token for Event Grid; anything else raises PublishError 401."""
    given = headers.get("aeg-sas-key", "")
    if given and hmac.compare_digest(given.encode(), key.encode()):
        return
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise PublishError(401, "Unauthorized", "send the topic's key as aeg-sas-key, or a Bearer token")
    try:
        jwt.decode(token, public_key, algorithms=["RS256"], audience=AUDIENCES)
    except jwt.PyJWTError as error:
        raise PublishError(401, "Unauthorized", f"the token is refused: {error}") from error


def parse(body: bytes, content_type: str, topic: str) -> list[Event]:
    """Read and check the events of a request; Event Grid's own are stamped with their topic."""
    if len(body) > MAX_BYTES:
        raise PublishError(413, "RequestEntityTooLarge", f"the request is larger than {MAX_BYTES} bytes")
    try:
        given = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise PublishError(400, "BadRequest", f"the body is no JSON: {error}") from error
    cloud = content_type.startswith("application/cloudevents")
    if cloud and isinstance(given, dict):
        given = [given]
    if not isinstance(given, list):
        raise PublishError(400, "BadRequest", "the body must be an array of events")
    return [_checked(event, index, cloud, topic) for index, event in enumerate(given)]


def _checked(event: Any, index: int, cloud: bool, topic: str) -> Event:
    if not isinstance(event, dict):
        raise PublishError(400, "BadRequest", f"event {index} is no object")
    for name, kind in (_CLOUD if cloud else _GRID).items():
        value = event.get(name, "" if name == "dataVersion" else None)
        if not isinstance(value, kind):
            raise PublishError(400, "BadRequest", f"event {index}: {name} must be a string")
    return event if cloud else {"dataVersion": "", **event, "topic": topic, "metadataVersion": "1"}
