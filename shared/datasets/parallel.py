"""A large file on this machine, read by several processes: each takes a stretch, what they found is joined in order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from shared.datasets.begin import beginning
from shared.datasets.blocks import blocks
from shared.datasets.check import read_whole, scanner
from shared.datasets.sources import Local, Source
from shared.datasets.split import Fractions, Sides
from shared.datasets.stretch import Stretch

WORTH_IT = 64 * 1024 * 1024


class Part(NamedTuple):
    """The bytes of a file from `start` up to `end`: whole lines."""

    path: Path
    start: int
    end: int
    fractions: Fractions
    pii: str


def reader(processes: int) -> Callable[[Stretch, Source], None]:
    """The way to read a dataset with so many processes; small and compressed files are read by one."""

    def read(stretch: Stretch, source: Source) -> None:
        size = source.path.stat().st_size if isinstance(source, Local) else 0
        if (
            processes < 2
            or size < WORTH_IT
            or not source.name.lower().endswith(".jsonl")
            or not isinstance(source, Local)
        ):
            read_whole(stretch, source)
            return
        first = next(blocks(source.open()), None)
        if first is None or beginning(first, source.name) is not None:
            read_whole(stretch, source)
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            for part, more in pool.map(_read, _parts(source.path, size, processes, stretch)):
                stretch.extend(more)
                if source.told is not None:
                    source.told(part.end - part.start)

    return read


def _parts(path: Path, size: int, count: int, stretch: Stretch) -> list[Part]:
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

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._file = path.open("rb", buffering=0)
        self._file.seek(start)
        self._left = end - start

    def readinto(self, buffer: memoryview, /) -> int:
        got = self._file.readinto(buffer[: min(len(buffer), self._left)]) or 0
        self._left -= got
        return got


def _read(part: Part) -> tuple[Part, Stretch]:
    stretch = Stretch(Sides(part.fractions), policy=part.pii, scanner=scanner(part.pii))
    begin = (lambda block: None) if part.start == 0 else None
    stretch.read(_Piece(part.path, part.start, part.end), begin=begin)
    return part, stretch
