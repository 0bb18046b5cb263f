"""Parquet as JSON lines, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import msgspec

from shared.datasets.formats.errors import FormatError

BATCH, BUFFER = 256, 1 << 20
_encode = msgspec.json.Encoder(enc_hook=str).encode


def parquet_lines(file: IO[bytes]) -> Iterator[bytes]:
    """The rows of a Parquet file that can be sought in, all columns, as chunks of JSON lines.

    Parquet gives every struct all keys that any row has; those that are null are left out again.

    Raises:
        FormatError: pyarrow is not installed, or the file is broken.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise FormatError("reading Parquet needs pyarrow", "Install it: pip install pyarrow") from error
    done = 0
    try:
        source = ParquetFile(file, pre_buffer=False, buffer_size=BUFFER)
        for batch in source.iter_batches(batch_size=BATCH, use_threads=False):
            rows = batch.to_pylist()
            yield b"".join(_encode(_without_nulls(row)) + b"\n" for row in rows)
            done += len(rows)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        told = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise FormatError(f"the Parquet file is broken after row {done:,}: {told}", "Write the file anew.") from error


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_nulls(found) for key, found in value.items() if found is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
