"""The rivals that people write themselves, with aiohttp: `python -m bench.scoring.relays passing|rewriting PORT UPSTREAM`.

The one passes bytes on and looks at nothing; the other does what has to be done to speak OpenAI's API before an MLflow
deployment: it parses the request, writes the deployment's, parses its answer and writes OpenAI's. It checks nothing.
"""

from __future__ import annotations

import sys
import time
import uuid

import aiohttp
import msgspec
from aiohttp import web

SESSION = web.AppKey("session", aiohttp.ClientSession)
UPSTREAM = web.AppKey("upstream", str)


async def passing(request: web.Request) -> web.Response:
    """Passes bytes on."""
    url = request.app[UPSTREAM] + request.path
    headers = {"Content-Type": "application/json"}
    async with request.app[SESSION].post(url, data=await request.read(), headers=headers) as answer:
        return web.Response(body=await answer.read(), status=answer.status, content_type="application/json")


async def rewriting(request: web.Request) -> web.Response:
    """Parses and writes both ways."""
    asked = msgspec.json.decode(await request.read())
    parameters = {"temperature": asked["temperature"], "max_new_tokens": asked["max_tokens"], "do_sample": False}
    body = {"input_data": {"input_string": [asked["messages"]], "parameters": parameters}, "params": {}}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer key"}
    url = request.app[UPSTREAM] + "/score"
    async with request.app[SESSION].post(url, data=msgspec.json.encode(body), headers=headers) as answer:
        text = msgspec.json.decode(await answer.read())[0]["0"]
    prompt, said = sum(len(one["content"]) for one in asked["messages"]) // 4, len(text) // 4
    whole = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked["model"],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said},
    }
    return web.Response(body=msgspec.json.encode(whole), content_type="application/json")


async def _open(app: web.Application) -> None:
    app[SESSION] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())


def main(way: str, port: int, upstream: str) -> None:
    """Serves until it is ended."""
    app = web.Application()
    app[UPSTREAM] = upstream
    app.on_startup.append(_open)
    app.router.add_post("/{path:.*}", {"passing": passing, "rewriting": rewriting}[way])
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
