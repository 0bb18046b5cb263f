"""The outermost layer: every call is noted, and broken where a rule says so."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from azureml_box.faults.calls import Call
from azureml_box.faults.rules import Rule
from azureml_box.faults.trigger import SPARED
from azureml_box.faults.wire import Held, emit
from azureml_box.provisioning import failing
from azureml_box.stamps import now

if TYPE_CHECKING:
    from azureml_box.context import Box


class Faults:
    """ASGI application around the emulator's own."""

    def __init__(self, app: ASGIApp, box: Box) -> None:
        self._app, self._box = app, box

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, whole or broken."""
        if scope["type"] != "http" or scope["path"].startswith(SPARED):
            await self._app(scope, receive, send)
            return
        method, path, began = scope["method"], scope["path"], time.perf_counter()
        query = scope["query_string"].decode("latin-1")
        call = self._box.calls.begin(now(), method, path, query)
        rule = self._box.faults.take(method, path, query)
        try:
            if rule is None:
                await self._pass(call, scope, receive, send)
            else:
                await self._break(call, rule, scope, receive, send)
        finally:
            call.milliseconds = round((time.perf_counter() - began) * 1000, 3)
            self._box.calls.end(call)

    async def _pass(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.conclude(message["status"])
                call.answered = message["status"]
                self._box.calls.end(call)  # its client may ask for it as soon as it has its answer
            await send(message)

        await self._app(scope, receive, noting)
        if call.effect == "read":
            self._box.provisioning.saw(scope["path"])

    async def _break(self, call: Call, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        call.fault, effect = rule.id, rule.effect
        if effect.kind == "provisioning":
            failing.set(effect.error())
        if effect.kind == "provisioning" or (effect.kind == "delay" and effect.when == "before"):
            await asyncio.sleep(effect.delay)
            await self._pass(call, scope, receive, send)
            return
        held = Held()
        if effect.passes:
            await self._app(scope, receive, held.send)
            call.conclude(held.status)
            self._box.calls.end(call)
        await asyncio.sleep(effect.delay)
        call.answered = await emit(effect, scope, receive, send, held)
