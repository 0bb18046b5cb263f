"""Ports of 127.0.0.1: chosen, and claimed by locks on files, so that boxes that start at once never choose the same.

Between choosing a port and listening on it lie seconds. The claim is this process's until it hands it over to the box's
supervisor, and ends with the last process that has it, however that ends.
"""

import fcntl
import os
import socket
import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

_claimed: dict[int, int] = {}


def choose(preferred: Mapping[str, int]) -> dict[str, int]:
    """Claim for every service its preferred port, or any free one where that is taken."""
    chosen: dict[str, int] = {}
    for name, port in preferred.items():
        free = port not in chosen.values() and _is_free(port) and _claim(port)
        chosen[name] = port if free else _any_free(chosen.values())
    return chosen


def files(ports: Iterable[int]) -> list[int]:
    """Return the open files that claim these ports: whoever inherits them has the ports."""
    return [_claimed[port] for port in ports if port in _claimed]


def release(ports: Iterable[int]) -> None:
    """Give up this process's own claim of these ports."""
    for port in ports:
        if (file := _claimed.pop(port, None)) is not None:
            os.close(file)


def _claim(port: int) -> bool:
    """Tell whether the port is ours; where no file can be locked, nobody claims anything."""
    if port in _claimed:
        return True
    with suppress(OSError):
        folder = Path(tempfile.gettempdir()) / f"droptune-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        _claimed[port] = file
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_free(taken: Collection[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken and _claim(port):
            return port
