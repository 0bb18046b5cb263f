"""A scoring script in an environment of its own: `PYTHON worker.py --fd N --code FOLDER --script FILE --concurrency N`.

It uses nothing but the standard library and `scorer.py` beside it, since the environment holds the author's packages only.
Frames on the socket are a number, a status and a body; the first one that it sends, number 0, says whether the script loaded.
"""

from __future__ import annotations

import argparse
import importlib
import os
import socket
import struct
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __name__ != "__main__":
    from azureml_box.serving import scorer
else:  # this file's own folder stands first on the path, and the emulator's package is not there
    scorer = importlib.import_module("scorer")

HEAD = struct.Struct("!QBI")
OK, BAD_INPUT, FAILED = range(3)


class Wire:
    """Frames over a socket; several threads may send."""

    def __init__(self, end: socket.socket) -> None:
        self._end, self._reading, self._lock = end, end.makefile("rb"), threading.Lock()

    def send(self, number: int, status: int, body: bytes) -> None:
        """One frame."""
        with self._lock:
            self._end.sendall(HEAD.pack(number, status, len(body)) + body)

    def receive(self) -> tuple[int, int, bytes] | None:
        """The next frame, or None when the other end is gone."""
        head = self._reading.read(HEAD.size)
        if len(head) < HEAD.size:
            return None
        number, status, length = HEAD.unpack(head)
        return number, status, self._reading.read(length)


def main() -> None:
    """Load, then answer until the server is gone."""
    parser = argparse.ArgumentParser()
    for name, kind in (("fd", int), ("code", Path), ("script", str), ("concurrency", int)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    options = parser.parse_args()
    del sys.path[0]  # the script must not find modules of the emulator
    wire = Wire(socket.socket(fileno=options.fd))
    try:
        score = scorer.script_score(options.code, options.script)
    except scorer.LoadError as error:
        wire.send(0, BAD_INPUT, str(error).encode())
        return
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a script's init() raises
        traceback.print_exc()
        wire.send(0, FAILED, b"the scoring script did not load; the log says why")
        return
    wire.send(0, OK, b"")
    with ThreadPoolExecutor(options.concurrency) as threads:
        while frame := wire.receive():
            threads.submit(_answer, wire, score, frame[0], frame[2])
        os._exit(0)


def _answer(wire: Wire, score: scorer.Score, number: int, body: bytes) -> None:
    try:
        wire.send(number, OK, score(body))
    except scorer.BadInputError as error:
        wire.send(number, BAD_INPUT, str(error).encode())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a script raises
        traceback.print_exc()
        wire.send(number, FAILED, repr(error).encode())


if __name__ == "__main__":
    main()
