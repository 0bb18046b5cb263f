"""Event Grid's HTTP side as an ASGI application, and everything that runs behind it."""

import asyncio
import contextlib
import logging
import ssl
from collections import deque
from collections.abc import AsyncIterator

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.box.config import ACCOUNT, BoxConfig
from local.eventgrid.delivery import Deliverer
from local.eventgrid.outbox import BlobReader, Doorbell, OutboxReader
from local.eventgrid.publishing import PublishError, authorise, parse
from local.eventgrid.store import Store
from local.eventgrid.subscriptions import Event, read
from local.eventgrid.webhook import Webhook

log = logging.getLogger(__name__)


class EventGrid:
    """The service of one box; its parts exist while the application runs."""

    def __init__(self, config: BoxConfig, scale: float) -> None:
        self.config, self.scale = config, scale
        self.folder = config.home / "eventgrid"
        self.public_key = (config.ca / "identity.pub").read_bytes()
        self.topics = topic_ids(config)
        self.published: deque[tuple[str, Event]] = deque(maxlen=2000)
        self.deliverer: Deliverer | None = None

    @contextlib.asynccontextmanager
    async def running(self, _: Starlette) -> AsyncIterator[None]:
        """Open the store and the connections, take up what was left, follow the outbox."""
        store = Store(self.folder / "deliveries.db")
        trust = ssl.create_default_context(cafile=str(self.config.ca / "bundle.pem"))
        connector = aiohttp.TCPConnector(limit=128, ssl=trust, keepalive_timeout=60)
        async with aiohttp.ClientSession(connector=connector) as client:
            subscriptions = read(self.folder / "subscriptions.json")
            deliverer = Deliverer(store, subscriptions, Webhook(client), self.folder / "deadletter", self.scale)
            self.deliverer = deliverer
            deliverer.resume()
            reader = self._reader(store, deliverer, client)
            bell = await _hang_up_doorbell(reader.doorbell, self.config.ports["eventgrid"])
            follow = asyncio.create_task(reader.run())
            yield
            follow.cancel()
            if bell:
                bell.close()
            await asyncio.gather(follow, return_exceptions=True)
            await deliverer.close()
        store.close()

    def _reader(self, store: Store, deliverer: Deliverer, client: aiohttp.ClientSession) -> OutboxReader:
        config = self.config
        blobs = BlobReader(client, f"{config.url('identity')}/identity/token", config.secrets["identity"])
        outbox = config.home / "storage" / "outbox.ndjson"
        return OutboxReader(outbox, store, deliverer, blobs, self.topics["storage"], config.url("blob"))

    async def publish(self, request: Request) -> Response:
        """`POST /topics/{topic}/api/events`."""
        topic = request.path_params["topic"]
        try:
            if topic not in self.topics:
                raise PublishError(404, "NotFound", f"there is no topic {topic}; there are {', '.join(self.topics)}")
            authorise(dict(request.headers), self.config.secrets[f"topic_{topic}"], self.public_key)
            events = parse(await request.body(), request.headers.get("content-type", ""), self.topics[topic])
        except PublishError as error:
            return JSONResponse({"error": {"code": error.code, "message": str(error)}}, status_code=error.status)
        self.published.extend((topic, event) for event in events)
        assert self.deliverer is not None
        self.deliverer.accept(topic, events)
        return Response(status_code=200)

    async def events(self, request: Request) -> Response:
        """`GET /_eventgrid/events?topic=T`: what was published, oldest first."""
        wanted = request.query_params.get("topic")
        events = [event for topic, event in self.published if wanted in (None, topic)]
        return JSONResponse({"events": events})

    async def deliveries(self, request: Request) -> Response:
        """`GET /_eventgrid/deliveries?last=N`: attempts, oldest first."""
        assert self.deliverer is not None
        last = request.query_params.get("last", "")
        entries = list(self.deliverer.log)
        return JSONResponse({"deliveries": entries[-int(last) :] if last.isdigit() and int(last) else entries})

    async def healthz(self, _: Request) -> Response:
        """`GET /healthz`, with the state of each handshake."""
        assert self.deliverer is not None
        return JSONResponse({"status": "ok", "subscriptions": self.deliverer.handshakes()})


def topic_ids(config: BoxConfig) -> dict[str, str]:
    """Return the ARM id of each topic: that of the source for system topics."""
    group = f"/subscriptions/{config.subscription}/resourceGroups/{config.resource_group}/providers"
    return {
        "storage": f"{group}/Microsoft.Storage/storageAccounts/{ACCOUNT}",
        "azureml": config.workspace_scope,
        "droptune": f"{group}/Microsoft.EventGrid/topics/droptune",
    }


def application(config: BoxConfig, scale: float) -> Starlette:
    """Build the service; `scale` multiplies the pauses between attempts."""
    grid = EventGrid(config, scale)
    routes = [
        Route("/topics/{topic}/api/events", grid.publish, methods=["POST"]),
        Route("/_eventgrid/events", grid.events),
        Route("/_eventgrid/deliveries", grid.deliveries),
        Route("/healthz", grid.healthz),
    ]
    return Starlette(routes=routes, lifespan=grid.running)


async def _hang_up_doorbell(event: asyncio.Event, port: int) -> asyncio.DatagramTransport | None:
    loop = asyncio.get_running_loop()
    try:
        bell, _ = await loop.create_datagram_endpoint(lambda: Doorbell(event), local_addr=("127.0.0.1", port))
    except OSError:
        log.warning("UDP port %d is taken: blob events are looked for every second only", port)
        return None
    return bell
