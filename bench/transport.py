"""Blobs in bulk: our ranges and blocks against the SDK's, in turns in the same run, over 200 MB.

Each promise is a share of the rival's time, so that a slow machine is slow for both; the notes have the MB/s.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from statistics import median

from bench.row import Row, middle

CONTAINER, PATH, COPY = "snapshots", "bench-transport/source", "bench-transport/copy"
MIB = 1024 * 1024
SIZE = 200 * MIB
ROUNDS = 3


def measure() -> list[Row]:
    """Read, write, and do both at once as the check of an upload does; needs the box's variables."""
    from shared.azure.blobs import Container
    from shared.azure.storage import container_client

    container = Container(CONTAINER)
    etag = _write(_noise())
    ways: dict[str, Callable[[], object]] = {
        "read": lambda: _exhaust(_read(etag)),
        "read by the SDK": lambda: _exhaust(container.chunks(PATH, etag)),
        "write": lambda: _write(_noise(), COPY),
        "write by the SDK": lambda: container_client(CONTAINER).upload_blob(
            COPY, _noise(), length=SIZE, overwrite=True, max_concurrency=2
        ),
        "both": lambda: _write(_read(etag), COPY),
    }
    try:
        took = _in_turns(ways)
    finally:
        container.delete(PATH)
        container.delete(COPY)
    return [
        _share("a blob read by ranges, of the SDK's time", 0.6, took, "read", "read by the SDK"),
        _share("a blob written by blocks, of the SDK's time", 0.8, took, "write", "write by the SDK"),
        _share("a blob read and written at once, of the time of writing", 1.5, took, "both", "write"),
    ]


def _in_turns(ways: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            began = time.monotonic()
            way()
            if number:  # the first of each is to warm up
                took[name].append(time.monotonic() - began)
    return took


def _share(what: str, target: float, took: dict[str, list[float]], ours: str, theirs: str) -> Row:
    rates = " against ".join(f"{SIZE / 1e6 / median(took[name]):.0f} MB/s ({name})" for name in (ours, theirs))
    shares = [one / other for one, other in zip(took[ours], took[theirs], strict=True)]
    return middle(what, target, "×", shares, rates)


def _noise() -> Iterator[bytes]:
    piece = os.urandom(MIB)
    return (piece for _ in range(SIZE // MIB))


def _read(etag: str) -> Iterator[bytes]:
    from shared.azure.ranges import stream

    return stream(CONTAINER, PATH, etag, SIZE)


def _write(pieces: Iterable[bytes], path: str = PATH) -> str:
    from shared.azure.staging import BlockWriter

    with BlockWriter(CONTAINER, path) as writer:
        for piece in pieces:
            writer.write(piece)
        return writer.commit()


def _exhaust(pieces: Iterable[bytes]) -> None:
    if (found := sum(map(len, pieces))) != SIZE:
        raise RuntimeError(f"{found} bytes were read of {SIZE}")
