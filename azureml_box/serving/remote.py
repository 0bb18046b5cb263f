"""The server's side of a scoring script that runs in another interpreter (`worker.py`)."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

from azureml_box.serving.scorer import BadInputError, LoadError, Score
from azureml_box.serving.worker import BAD_INPUT, OK, Wire

_WORKER = Path(__file__).with_name("worker.py")


class ScriptError(Exception):
    """The script raised; its traceback stands in the log."""


def remote_score(python: str, code: Path, script: str, concurrency: int) -> Score:
    """Starts the worker and waits until the script has loaded.

    Raises:
        LoadError: it did not load.
    """
    ours, theirs = socket.socketpair()
    options = {"fd": theirs.fileno(), "code": code, "script": script, "concurrency": concurrency}
    command = [python, str(_WORKER), *(f"--{name}={value}" for name, value in options.items())]
    subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()
    wire = Wire(ours)
    first = wire.receive()
    if first is None or first[1] != OK:
        raise LoadError(first[2].decode() if first else f"{python} ended before the scoring script was loaded.")
    return _Calls(wire).score


class _Calls:
    def __init__(self, wire: Wire) -> None:
        self._wire, self._numbers = wire, itertools.count(1)
        self._waiting: dict[int, Future[bytes]] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def score(self, raw: bytes) -> bytes:
        """One request; blocks."""
        number, answer = next(self._numbers), Future[bytes]()
        self._waiting[number] = answer
        self._wire.send(number, OK, raw)
        return answer.result()

    def _read(self) -> None:
        while frame := self._wire.receive():
            number, status, body = frame
            answer = self._waiting.pop(number)
            if status == OK:
                answer.set_result(body)
            else:
                answer.set_exception((BadInputError if status == BAD_INPUT else ScriptError)(body.decode()))
        print("the process of the scoring script has ended", file=sys.stderr, flush=True)
        os._exit(1)  # whoever keeps this server starts it again
