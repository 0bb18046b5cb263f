"""The box's `infra/`: containers, the queue, the workspace's datastore and the event subscriptions."""

import asyncio
import ssl
import time
from typing import Any

import aiohttp

from local.box.config import ACCOUNT, BoxConfig
from local.box.errors import BoxError
from local.box.key import CONTAINER as KEYS
from local.box.key import box_key
from local.eventgrid.subscriptions import Subscription, write
from local.identity.tokens import Signer

CONTAINERS = ("datasets", "snapshots", "uploads", "runs", "endpoints", "active", "access", "canary", "ledger")
QUEUES = ("droptune-work",)
_STORAGE = "https://storage.azure.com"
_TIMEOUT = aiohttp.ClientTimeout(total=15)


def write_subscriptions(config: BoxConfig) -> None:
    """Say which events call which function; Event Grid reads it when it starts."""
    containers = "/blobServices/default/containers"
    runs = tuple(f"Microsoft.MachineLearningServices.{kind}" for kind in ("RunCompleted", "RunStatusChanged"))
    subscriptions = [
        Subscription(
            name="dataset-uploaded",
            topic="storage",
            endpoint=_endpoint(config, "dataset_uploaded"),
            included_event_types=("Microsoft.Storage.BlobCreated",),
            subject_begins_with=f"{containers}/datasets/",
        ),
        Subscription(
            name="canary",
            topic="storage",
            endpoint=_endpoint(config, "canary"),
            included_event_types=("Microsoft.Storage.BlobCreated",),
            subject_begins_with=f"{containers}/canary/blobs/",
            subject_ends_with=".canary",
        ),
        Subscription(
            name="job-changed",
            topic="azureml",
            endpoint=_endpoint(config, "job_changed"),
            included_event_types=runs,
        ),
    ]
    write(config.home / "eventgrid" / "subscriptions.json", subscriptions)


async def storage(config: BoxConfig) -> None:
    """Make the containers, the queue and the box's key; those that exist are left alone."""
    token = _token(config, _STORAGE)
    headers = {"authorization": f"Bearer {token}", "x-ms-version": "2023-11-03"}
    urls = [f"{config.url('blob')}/{name}?restype=container" for name in CONTAINERS]
    urls += [f"{config.url('queue')}/{name}" for name in QUEUES]
    async with _client(config) as client:
        await asyncio.gather(*(_put(client, url, headers) for url in urls))
        for path, data in box_key(config)[1].items():
            # Not over one that is there: its owner may have changed its scopes.
            blob_headers = headers | {"x-ms-blob-type": "BlockBlob", "if-none-match": "*"}
            await _put(client, f"{config.url('blob')}/{KEYS}/{path}", blob_headers, data)


async def workspace(config: BoxConfig) -> None:
    """Register the datastore `snapshots`: the app's container, read and written by identity."""
    body = {
        "properties": {
            "datastoreType": "AzureBlob",
            "accountName": ACCOUNT,
            "containerName": "snapshots",
            "endpoint": config.storage_suffix,
            "protocol": "https",
            "credentials": {"credentialsType": "None"},
        }
    }
    url = f"{config.url('azureml')}{config.workspace_scope}/datastores/snapshots?api-version=2024-10-01-preview"
    headers = {"authorization": f"Bearer {_token(config, 'https://management.azure.com')}"}
    async with _client(config) as client:
        await _put(client, url, headers, body)


async def _put(client: aiohttp.ClientSession, url: str, headers: dict[str, str], body: Any = b"") -> None:
    content = {"data": body} if isinstance(body, bytes) else {"json": body}
    async with client.put(url, headers=headers, **content) as answer:
        if answer.status >= 300 and answer.status != 409:
            text = (await answer.text())[:300]
            raise BoxError(f"PUT {url.split('?')[0]} answered {answer.status}: {text}; see: droptune box logs")


def _client(config: BoxConfig) -> aiohttp.ClientSession:
    trust = ssl.create_default_context(cafile=str(config.ca / "ca.pem"))
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust), timeout=_TIMEOUT)


def _token(config: BoxConfig, resource: str) -> str:
    signer = Signer((config.ca / "identity.key").read_bytes(), config.tenant, config.object_id)
    return signer.token(resource, lifetime=600, now=time.time())


def _endpoint(config: BoxConfig, function: str) -> str:
    code = config.secrets["functions_eventgrid"]
    return f"{config.url('functions')}/runtime/webhooks/EventGrid?functionName={function}&code={code}"
