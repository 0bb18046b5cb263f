"""The process of one deployment: `python -m azureml_box.serving.server --socket PATH --model FOLDER`.

Plain HTTP on a Unix socket that only the emulator's user can reach. Status codes and headers are those of
azureml-inference-server-http. It ends when its standard input closes, so that it never outlives the emulator.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from azureml_box.serving.remote import remote_score
from azureml_box.serving.scorer import BadInputError, LoadError, Score, mlflow_score, script_score

_log = logging.getLogger("inference")
_SCRIPT_FAILED = "An unexpected error occurred in scoring script. Check the logs for more info."
_LAST_WORDS = 1.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Inference:
    """Runs `score` in worker threads, at most `concurrency` at once; the rest waits in order."""

    def __init__(self, score: Score, concurrency: int, timeout_ms: int) -> None:
        self._score, self._timeout_ms = score, timeout_ms
        self._slots = asyncio.Semaphore(concurrency)
        self._threads = ThreadPoolExecutor(concurrency, "score")

    async def answer(self, request: Request) -> Response:
        """POST /score."""
        body = await request.body()
        async with self._slots:
            # A caller that gave up while it waited must not cost the model a generation.
            if await request.is_disconnected():
                return _failure(499, "The client closed the request.")
            return await self._run(body)

    async def _run(self, body: bytes) -> Response:
        started = time.perf_counter()
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._score, body)
        try:
            content = await asyncio.wait_for(asyncio.shield(work), self._timeout_ms / 1000)
        except BadInputError as error:
            return _failure(400, str(error))
        except TimeoutError:
            if not work.done():
                return _failure(500, f"Scoring timeout after {self._timeout_ms} ms")
            _log.exception("the scoring script failed")
            return _failure(500, _SCRIPT_FAILED, script=True)
        except Exception:  # noqa: BLE001 - whatever the model raises
            _log.exception("the scoring script failed")
            return _failure(500, _SCRIPT_FAILED, script=True)
        spent = f"{(time.perf_counter() - started) * 1000:.3f}"
        headers = {"x-ms-run-fn-exec-ms": spent, "x-ms-run-function-failed": "False"}
        return Response(content, 200, headers, "application/json")


def _failure(status: int, message: str, *, script: bool = False) -> Response:
    return JSONResponse({"message": message}, status, {"x-ms-run-function-failed": str(script)})


async def _healthy(_request: Request) -> Response:
    return Response("Healthy", media_type="text/plain")


class _Server(uvicorn.Server):
    """Ends within a second: native code of a model may ignore every polite request to stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        threading.Timer(_LAST_WORDS, os._exit, (0,)).start()
        super().handle_exit(sig, frame)


def _die_with_parent() -> None:
    """Linux: the kernel kills us with the emulator, even while native code holds the interpreter's lock."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("azureml_box.serving.server")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--code", type=Path)
    parser.add_argument("--script")
    parser.add_argument("--python", help="the interpreter of the script, where it is not this one")
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--scoring-timeout-ms", type=int, default=3_600_000)
    return parser.parse_args()


def _load(options: argparse.Namespace) -> Score:
    if options.script and options.python:
        return remote_score(options.python, options.code, options.script, options.concurrency)
    if options.script:
        return script_score(options.code, options.script)
    if options.model is None:
        raise LoadError("The deployment has neither a model nor a scoring script.")
    return mlflow_score(options.model)


def _loaded(options: argparse.Namespace) -> Score:
    try:
        return _load(options)
    except LoadError as error:
        print(f"cannot serve: {error}", file=sys.stderr, flush=True)
    except Exception:  # noqa: BLE001 - whatever a script's init() raises
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)  # at once: the thread that reads stdin would make a plain exit a crash


def main() -> None:
    """Load, then listen: whoever can connect gets an answer."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _die_with_parent()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # until uvicorn takes over
    # The emulator's own folder was on the path for `-m` alone; the model must not find modules there.
    if sys.path and sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]
    os.chdir(options.code or options.model or "/")
    score = _loaded(options)
    inference = Inference(score, options.concurrency, options.scoring_timeout_ms)
    routes = [Route("/", _healthy), Route("/score", inference.answer, methods=["POST"])]
    config = uvicorn.Config(
        Starlette(routes=routes), uds=options.socket, log_level="warning", access_log=False, timeout_keep_alive=3600
    )
    _log.info("the model is loaded")
    _Server(config).run()
    os._exit(0)


if __name__ == "__main__":
    main()
