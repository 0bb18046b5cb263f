"""Sends what a function leaves in a `queue` output binding."""

from collections.abc import Awaitable, Callable
from typing import Any

from local.functions_host.queue_message import encode_body, outgoing_bodies
from local.functions_host.storage import StorageClients


def queue_sender(clients: StorageClients, base64_encoded: bool) -> Callable[[dict[str, Any], Any], Awaitable[None]]:
    """Make the invoker's `send_output`; a queue that isn't there is made, as Azure does."""

    async def send(binding: dict[str, Any], datum: Any) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        queue = clients.queue(binding["queueName"], binding.get("connection", ""))
        for body in outgoing_bodies(datum):
            content = encode_body(body, base64_encoded)
            try:
                await queue.send_message(content)
            except ResourceNotFoundError:
                await queue.create_queue()
                await queue.send_message(content)

    return send
