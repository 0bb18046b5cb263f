"""Queue functions: takes messages in batches, keeps them invisible while they run, gives up after some tries.

Source: AZURE_FACTS "The Functions host"; https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue
"""

import asyncio
import logging
from typing import TYPE_CHECKING

from local.functions_host.host_json import QueueSettings
from local.functions_host.index import Function
from local.functions_host.invoker import Invoker
from local.functions_host.queue_message import UndecodableMessageError, body_datum, decode_body, trigger_metadata

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage
    from azure.storage.queue.aio import QueueClient

log = logging.getLogger(__name__)
FIRST_INTERVAL = 0.1
INVISIBLE = 600  # seconds; renewed at half of it while the function runs


class QueueListener:
    """Feeds one function from one queue until it is stopped."""

    def __init__(
        self, function: Function, queue: "QueueClient", poison: "QueueClient", settings: QueueSettings, invoker: Invoker
    ) -> None:
        self._function, self._queue, self._poison = function, queue, poison
        self._settings, self._invoker = settings, invoker
        self._active: dict[asyncio.Task[None], QueueMessage] = {}
        self._stopped = False
        self._nudged = asyncio.Event()
        invoker.ended.append(self._nudged.set)

    def stop(self) -> None:
        """Take no more messages; those that run go on."""
        self._stopped = True
        self._nudged.set()

    async def run(self) -> None:
        """Poll: at once while there are messages or something has just run here, else ever more slowly."""
        longest, interval, complained = self._settings.max_polling_interval.total_seconds(), FIRST_INTERVAL, False
        while not self._stopped:
            self._nudged.clear()
            if len(self._active) > self._settings.new_batch_threshold:
                await asyncio.wait(self._active, return_when=asyncio.FIRST_COMPLETED)
                continue
            try:
                taken, complained = await self._take(), False
            except Exception as error:  # noqa: BLE001 - the storage may be away for a while: go on asking
                if not complained:
                    log.warning("queue %s can't be read (asking on): %s", self._queue.queue_name, _short(error))
                taken, complained = 0, True
            interval = FIRST_INTERVAL if taken else min(interval * 2, longest)
            if not taken and await self._nudge_within(interval):
                interval = FIRST_INTERVAL

    async def release(self) -> None:
        """Give back what still runs when the host ends, so that it comes again at once and not in ten minutes."""
        for task, message in list(self._active.items()):
            task.cancel()
            await self._give_back(message, 0)

    async def _nudge_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._nudged.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _take(self) -> int:
        from azure.core.exceptions import ResourceNotFoundError

        size, count = self._settings.batch_size, 0
        try:
            # One page is one request; the SDK's own iterator would ask on until the queue is empty.
            pages = self._queue.receive_messages(messages_per_page=size, visibility_timeout=INVISIBLE).by_page()
            async for page in pages:
                async for message in page:
                    count += 1
                    await self._start(message)
                break
        except ResourceNotFoundError:
            return 0  # the queue isn't there yet: as good as empty
        return count

    async def _start(self, message: "QueueMessage") -> None:
        if self._stopped:
            await self._give_back(message, 0)
            return
        task = asyncio.create_task(self._process(message))
        self._active[task] = message
        task.add_done_callback(lambda done: self._active.pop(done, None))

    async def _process(self, message: "QueueMessage") -> None:
        renewal = asyncio.create_task(self._renew(message))
        try:
            is_done = await self._invoke(message)
        finally:
            renewal.cancel()
        try:
            if is_done:
                await self._queue.delete_message(message.id, message.pop_receipt)
            elif int(message.dequeue_count or 0) >= self._settings.max_dequeue_count:
                await self._to_poison(message)
            else:
                await self._give_back(message, int(self._settings.visibility_timeout.total_seconds()))
        except Exception as error:  # noqa: BLE001 - then the message comes again: at least once is the promise
            log.warning("message %s of %s can't be settled: %s", message.id, self._queue.queue_name, _short(error))

    async def _invoke(self, message: "QueueMessage") -> bool:
        if int(message.dequeue_count or 0) > self._settings.max_dequeue_count:
            return False
        try:
            body = decode_body(message.content, self._settings.base64)
        except UndecodableMessageError as error:
            log.error("message %s of %s: %s", message.id, self._queue.queue_name, error)
            message.dequeue_count = self._settings.max_dequeue_count  # no later try would do better
            return False
        return (await self._invoker.invoke(self._function, body_datum(body), trigger_metadata(message))).ok

    async def _renew(self, message: "QueueMessage") -> None:
        while True:
            await asyncio.sleep(INVISIBLE / 2)
            await self._give_back(message, INVISIBLE)

    async def _give_back(self, message: "QueueMessage", seconds: int) -> None:
        updated = await self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
        message.pop_receipt = updated.pop_receipt

    async def _to_poison(self, message: "QueueMessage") -> None:
        from azure.core.exceptions import ResourceNotFoundError

        log.error("message %s of %s goes to %s", message.id, self._queue.queue_name, self._poison.queue_name)
        try:
            await self._poison.send_message(message.content)
        except ResourceNotFoundError:
            await self._poison.create_queue()
            await self._poison.send_message(message.content)
        await self._queue.delete_message(message.id, message.pop_receipt)


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
