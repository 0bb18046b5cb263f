"""A bar for what takes longer than a moment; on stderr, and only where somebody looks at it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def reading(file: Path, from_size: int) -> Iterator[Callable[[int], None] | None]:
    """Shows how far a file was read; gives what must be told of the bytes, or None where no bar is shown."""
    size = file.stat().st_size
    if size < from_size or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(file.name, total=size)
        yield lambda count: progress.advance(task, count)
