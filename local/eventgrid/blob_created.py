"""From a line of the storage's outbox to `Microsoft.Storage.BlobCreated`.

Source: https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
"""

import hashlib
import uuid
from typing import Any
from urllib.parse import quote

from local.eventgrid.subscriptions import Event

TYPE = "Microsoft.Storage.BlobCreated"


def subject(line: dict[str, Any]) -> str:
    """Return the event's subject."""
    return f"/blobServices/default/containers/{line['container']}/blobs/{line['blob']}"


def blob_url(line: dict[str, Any], account_url: str) -> str:
    """Return the blob's URL, encoded."""
    return f"{account_url}/{quote(line['container'])}/{quote(line['blob'])}"


def build(line: dict[str, Any], properties: dict[str, Any], topic: str, account_url: str) -> Event:
    """Build the event; `properties` are the blob's own, for what the write's request did not tell.

    The id follows from the write: the same line read again (after a kill) gives the same event.
    """
    known = {**properties, **{name: value for name, value in line.items() if value is not None}}
    data = {
        "api": line["api"],
        "clientRequestId": known.get("clientRequestId") or "",
        "requestId": known.get("requestId") or "",
        # With its inner quotes, as Azure sends it.
        "eTag": _quoted(str(known.get("eTag") or "")),
        "contentType": known.get("contentType") or "application/octet-stream",
        "contentLength": int(known.get("contentLength") or 0),
        "blobType": known.get("blobType") or "BlockBlob",
        "url": blob_url(line, account_url),
        "sequencer": line["sequencer"],
        "storageDiagnostics": {"batchId": str(uuid.UUID(hashlib.md5(line["sequencer"].encode()).hexdigest()))},
    }
    identifier = hashlib.sha256(f"{line['sequencer']}{subject(line)}".encode()).hexdigest()[:32]
    return {
        "topic": topic,
        "subject": subject(line),
        "eventType": TYPE,
        "id": str(uuid.UUID(identifier)),
        "data": data,
        "dataVersion": "",
        "metadataVersion": "1",
        "eventTime": line["time"],
    }


def is_complete(line: dict[str, Any]) -> bool:
    """Tell whether the write's request told everything, so that the blob need not be asked."""
    return all(line.get(name) is not None for name in ("contentLength", "blobType", "contentType"))


def _quoted(etag: str) -> str:
    return etag if etag.startswith('"') or not etag else f'"{etag}"'
