"""A queue message on the wire: base64 or plain, and what the library's queueTrigger converter wants of it."""

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from azure.functions.meta import Datum

from local.functions_host.invoker import document, text

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage


class UndecodableMessageError(ValueError):
    """The message is not what host.json's messageEncoding says."""


def decode_body(content: str, base64_encoded: bool) -> str | bytes:
    """Return the text (or the bytes that are no UTF-8) that the sender meant."""
    if not base64_encoded:
        return content
    try:
        raw = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UndecodableMessageError(
            f"the message is not base64, as host.json's messageEncoding says: {error}"
        ) from None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def encode_body(body: str | bytes, base64_encoded: bool) -> str:
    """Return what goes over the wire."""
    raw = body.encode("utf-8") if isinstance(body, str) else body
    return base64.b64encode(raw).decode("ascii") if base64_encoded else raw.decode("utf-8")


def body_datum(body: str | bytes) -> Any:
    """Make the trigger's Datum."""
    return text(body) if isinstance(body, str) else Datum(body, "bytes")


def trigger_metadata(message: "QueueMessage") -> dict[str, Any]:
    """Make the metadata that func.QueueMessage shows beside the body."""
    times = {
        "InsertionTime": message.inserted_on,
        "ExpirationTime": message.expires_on,
        "NextVisibleTime": message.next_visible_on,
    }
    return {
        "Id": text(message.id),
        "DequeueCount": text(str(message.dequeue_count)),
        "PopReceipt": text(str(message.pop_receipt)),
        **{name: document(json.dumps(value.isoformat())) for name, value in times.items() if value is not None},
    }


def outgoing_bodies(datum: Any) -> list[str | bytes]:
    """Read the library's `queue` output: a text, bytes, one message or a list of both."""
    if datum.type in ("string", "bytes"):
        return [datum.value]
    doc = json.loads(datum.value)
    return [item["body"] if isinstance(item, dict) else item for item in (doc if isinstance(doc, list) else [doc])]
