"""What stands behind every contestant: an endpoint that answers at once. `python -m bench.scoring.upstream PORT`.

It speaks both bodies: `/score` as an MLflow deployment does, anything else as OpenAI's chat completions.
"""

from __future__ import annotations

import asyncio
import json
import sys

from bench.scoring.wire import answer, message_end

TEXT = "Your order has left our warehouse this morning and will be with you by Thursday at the latest. Anything else?"
SCORE = answer(json.dumps([{"0": TEXT}]).encode())
CHAT = answer(
    json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "bench",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"},
            ],
            "usage": {"prompt_tokens": 40, "completion_tokens": 22, "total_tokens": 62},
        }
    ).encode()
)


class Upstream(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._data = transport, bytearray()

    def data_received(self, data: bytes) -> None:
        """Answers each whole request."""
        self._data += data
        while end := message_end(self._data):
            self._transport.write(SCORE if b"/score " in self._data[:64] else CHAT)
            del self._data[:end]


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
