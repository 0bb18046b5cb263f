"""A large file on this machine, read by several processes: each takes a stretch, what they found is joined in order."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from shared.datasets.reading import read_whole, scanner
from shared.datasets.rows.begin import beginning
from shared.datasets.rows.blocks import blocks
from shared.datasets.rows.stretch import Stretch
from shared.datasets.sources import Local, Source, Told
from shared.datasets.split import Fractions, Sides

WORTH_IT = 64 * 1024 * 1024


class Part(NamedTuple):
    """The bytes of a file from `start` up to `end`: whole lines."""

    path: Path
    start: int
    end: int
    fractions: Fractions
    pii: str


def reader(processes: int) -> Callable[[Stretch, Source], None]:
    """The way to read a dataset with so many processes; small and compressed files are read by this one alone."""

    def read(stretch: Stretch, source: Source) -> None:
        if processes < 2 or stretch.counts_tokens or not isinstance(source, Local) or not _is_large(source):
            read_whole(stretch, source)
            return
        first, *others = _parts(source.path, processes, stretch)
        with _pool(len(others)) as pool:
            reading = [pool.submit(_read, part) for part in others]
            own = _Piece(first)
            stretch.read(own if source.told is None else Told(own, source.told), begin=lambda _: None)
            for part, more in zip(others, reading, strict=True):
                stretch.extend(more.result())
                if source.told is not None:
                    source.told(part.end - part.start)

    return read


def _is_large(source: Local) -> bool:
    """Whether several processes are worth their start, and the file is what its name says."""
    if source.path.stat().st_size < WORTH_IT or not source.name.lower().endswith(".jsonl"):
        return False
    first = next(blocks(source.path.open("rb", buffering=0)), None)
    return first is not None and beginning(first, source.name) is None


def _pool(workers: int) -> ProcessPoolExecutor:
    """Workers as copies of this process where that is safe: they need not import anything again."""
    alone = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if alone else "spawn")
    return ProcessPoolExecutor(max(workers, 1), mp_context=context)


def _parts(path: Path, count: int, stretch: Stretch) -> list[Part]:
    size = path.stat().st_size
    ends = [_line_end(path, size * number // count) for number in range(1, count)]
    starts = [0, *ends]
    fractions, pii = stretch.sides.fractions, stretch.policy
    return [Part(path, a, b, fractions, pii) for a, b in zip(starts, [*ends, size], strict=True) if a < b]


def _line_end(path: Path, place: int) -> int:
    with path.open("rb") as file:
        file.seek(place)
        file.readline()
        return file.tell()


class _Piece:
    """A stretch of a file, readable like a file."""

    def __init__(self, part: Part) -> None:
        self._file = part.path.open("rb", buffering=0)
        self._file.seek(part.start)
        self._left = part.end - part.start

    def readinto(self, buffer: memoryview, /) -> int:
        got = self._file.readinto(buffer[: min(len(buffer), self._left)]) or 0
        self._left -= got
        return got


def _read(part: Part) -> Stretch:
    stretch = Stretch(Sides(part.fractions), policy=part.pii, scanner=scanner(part.pii))
    stretch.read(_Piece(part))
    return stretch
