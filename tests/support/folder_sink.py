"""A snapshot in a folder: what the checker writes, for tests that look at it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from shared.datasets.check import SIDES, Terms, Verdict, check
from shared.datasets.config import Config
from shared.datasets.findings import Finding
from shared.datasets.rows.blocks import Chunks, Readable
from shared.datasets.sources import Bytes, Source


class FolderSink:
    """Writes the sides as files; begun anew, it forgets what was there."""

    def __init__(self, folder: Path) -> None:
        self._heads: dict[str, bytes] = {}
        self._files: dict[str, BinaryIO] = {side: (folder / f"{side}.jsonl").open("wb") for side in SIDES}

    def write(self, side: str, row: bytes) -> None:
        self._files[side].write(row + b"\n")

    def head(self, side: str, row: bytes) -> None:
        self._heads[side] = row + b"\n"

    def close(self) -> None:
        for side, file in self._files.items():
            file.close()
            path = Path(file.name)
            path.write_bytes(self._heads.get(side, b"") + path.read_bytes())


class Chunked:
    """A dataset in chunks of given sizes."""

    name = "dataset.jsonl"

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = list(chunks)

    def open(self) -> Readable:
        return Chunks(self._chunks)

    def seekable(self) -> BinaryIO:
        return io.BytesIO(b"".join(self._chunks))


def judge(
    data: bytes | Source,
    folder: Path | None = None,
    config: Config | None = None,
    findings: list[Finding] | None = None,
    terms: Terms | None = None,
    **companions: bytes,
) -> Verdict:
    """The verdict on a dataset; the snapshot lies in `folder` afterwards where it was accepted."""
    files: Mapping[str, Source] = {
        "dataset": Bytes(data) if isinstance(data, bytes) else data,
        **{role: Bytes(content, f"{role}.jsonl") for role, content in companions.items()},
    }
    sinks: list[FolderSink] = []

    def sink() -> FolderSink:
        assert folder is not None
        for earlier in sinks[-1:]:
            earlier.close()
        sinks.append(FolderSink(folder))
        return sinks[-1]

    verdict = check(files, config, findings, terms=terms, sink=sink if folder is not None else None)
    for written in sinks[-1:]:
        written.close()
    if not verdict.accepted and folder is not None:
        for path in folder.glob("*.jsonl"):
            path.unlink()
    return verdict
