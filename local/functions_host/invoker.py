"""Runs one invocation: arguments through the library's converters, a thread or the loop, a time limit, one log line."""

import asyncio
import contextvars
import inspect
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.functions.meta import Datum

from local.functions_host.context import InvocationContext, OutValue
from local.functions_host.index import Function
from local.functions_host.signature import converter, is_plain, wants_context

log = logging.getLogger("functions")
SendOutput = Callable[[dict[str, Any], Any], Awaitable[None]]


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended; `returned` is the Datum of an `http` $return."""

    invocation_id: str
    error: BaseException | None = None
    returned: Any = None

    @property
    def ok(self) -> bool:
        """Tell whether it succeeded."""
        return self.error is None


class Invoker:
    """Runs functions, counts those that run, and tells listeners when one has ended."""

    def __init__(self, folder: Path, threads: int, timeout: timedelta | None, send_output: SendOutput) -> None:
        self._folder = str(folder)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._timeout = timeout.total_seconds() if timeout else None
        self._send_output = send_output
        self._running: set[asyncio.Task[Any]] = set()
        self.ended: list[Callable[[], None]] = []

    async def invoke(
        self, function: Function, datum: Any, metadata: Any = None, headers: Mapping[str, str] | None = None
    ) -> Outcome:
        """Run the function on the datum; a failure is an Outcome with its error, never an exception."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        invocation_id, start = str(uuid.uuid4()), time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout):
                returned = await self._run(function, invocation_id, datum, metadata, headers or {})
            outcome = Outcome(invocation_id, returned=returned)
        except TimeoutError as error:
            outcome = Outcome(invocation_id, error)
        except Exception as error:  # noqa: BLE001 - whatever the app raises is this invocation's outcome
            outcome = Outcome(invocation_id, error)
        finally:
            self._running.discard(task)
        self._report(function, outcome, time.perf_counter() - start)
        for callback in self.ended:
            callback()
        return outcome

    async def drain(self, seconds: float) -> int:
        """Let running invocations end; return how many were cut off."""
        _, late = await asyncio.wait(self._running, timeout=seconds) if self._running else (set(), set())
        self._pool.shutdown(wait=False, cancel_futures=True)
        return len(late)

    async def _run(self, function: Function, invocation_id: str, datum: Any, metadata: Any, headers: Any) -> Any:
        context = InvocationContext(invocation_id, function.name, self._folder, headers)
        arguments, outs = self._arguments(function, context, datum, metadata)
        if inspect.iscoroutinefunction(function.call):
            result = await function.call(**arguments)
        else:
            result = await self._in_thread(function.call, arguments, context)
        return await self._outputs(function, result, outs)

    def _arguments(
        self, function: Function, context: InvocationContext, datum: Any, metadata: Any
    ) -> tuple[dict[str, Any], dict[str, OutValue]]:
        trigger = function.trigger
        outs = {b["name"]: OutValue() for b in function.outputs if b["name"] != "$return"}
        if is_plain(function.call, trigger["name"]):
            given = datum.value
        else:
            given = converter(trigger["type"]).decode(datum, trigger_metadata=metadata)
        arguments: dict[str, Any] = {trigger["name"]: given, **outs}
        if wants_context(function.call, function.bindings):
            arguments["context"] = context
        return arguments, outs

    async def _in_thread(self, call: Callable[..., Any], arguments: dict[str, Any], context: Any) -> Any:
        def work() -> Any:
            context.thread_local_storage.invocation_id = context.invocation_id
            return call(**arguments)

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, contextvars.copy_context().run, work)

    async def _outputs(self, function: Function, result: Any, outs: dict[str, OutValue]) -> Any:
        """Send queue outputs; return the Datum of an HTTP answer."""
        values = {name: out.get() for name, out in outs.items()} | {"$return": result}
        bindings = {b["name"]: b for b in function.outputs}
        if result is not None and "$return" not in bindings:
            # The real worker fails such an invocation; a function that passes here must pass there.
            raise RuntimeError(f"function {function.name} without a $return binding returned a non-None value")
        answer = None
        for name, binding in bindings.items():
            if values[name] is None:
                continue
            encoded = converter(binding["type"]).encode(values[name], expected_type=None)
            if binding["type"] == "http":
                answer = encoded
            else:
                await self._send_output(binding, encoded)
        return answer

    def _report(self, function: Function, outcome: Outcome, seconds: float) -> None:
        """One line an invocation, never its body: name, id, duration, outcome."""
        ms = seconds * 1000
        if outcome.ok:
            log.info("%s %s %.1f ms succeeded", function.name, outcome.invocation_id, ms)
        elif isinstance(outcome.error, TimeoutError) and self._timeout and seconds >= self._timeout:
            log.error("%s %s %.1f ms failed: longer than functionTimeout", function.name, outcome.invocation_id, ms)
        else:
            log.error("%s %s %.1f ms failed", function.name, outcome.invocation_id, ms, exc_info=outcome.error)


def text(value: str) -> Any:
    """Make a Datum of a string."""
    return Datum(value, "string")


def document(value: str) -> Any:
    """Make a Datum of a JSON text."""
    return Datum(value, "json")
