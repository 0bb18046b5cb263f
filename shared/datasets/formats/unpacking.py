"""What holds a file within: gzip, bzip2, xz, a zip of one file, UTF-16; unpacked as a stream."""

from __future__ import annotations

import bz2
import codecs
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, cast

from shared.datasets.formats.blocks import ChunkFile, peek, seekable
from shared.datasets.formats.errors import FormatError, named
from shared.datasets.formats.gzips import gunzip
from shared.datasets.formats.texts import wide_encoding

CHUNK = 256 * 1024
# What the standard library's readers raise on damaged bytes, RuntimeError for a password that is asked for.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, ValueError, RuntimeError, OverflowError, LookupError),
)
_AGAIN = "Write the file anew."


def _bunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    return _read(bz2.open(ChunkFile(chunks)), "bzip2")


def _unxz(chunks: Iterable[bytes]) -> Iterator[bytes]:
    return _read(lzma.open(cast(IO[bytes], ChunkFile(chunks))), "xz")


def _read(file: IO[bytes], name: str) -> Iterator[bytes]:
    try:
        while chunk := file.read(CHUNK):
            yield chunk
    except _BROKEN as error:
        raise FormatError(f"the {name} stream is broken: {error}", _AGAIN) from error


def _unzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    with seekable(chunks) as file:
        try:
            archive = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise FormatError(f"the zip archive is broken: {error}", _AGAIN) from error
        members = [entry for entry in archive.infolist() if not _is_clutter(entry.filename)]
        if len(members) != 1:
            names = ", ".join(named(entry.filename) for entry in members[:5])
            raise FormatError(
                f"the zip archive holds {len(members)} files ({names})", "Unpack it and name one of them."
            )
        try:
            member = archive.open(members[0])
        except _BROKEN as error:
            raise FormatError(
                f"{named(members[0].filename)} in the zip archive cannot be read: {error}", _AGAIN
            ) from error
        yield from _read(member, "zip")


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.endswith(("/", ".DS_Store"))


def _narrow(chunks: Iterable[bytes]) -> Iterator[bytes]:
    head, rest = peek(chunks, 64)
    encoding = wide_encoding(head) or "utf-16"
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in rest:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", True).encode()
    except UnicodeError as error:
        raise FormatError(f"the file is broken {encoding.upper()}: {error}", "Save it as UTF-8.") from error


UNPACK: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "gzip": gunzip,
    "bz2": _bunzip,
    "xz": _unxz,
    "zip": _unzip,
    "utf-16": _narrow,
    "utf-32": _narrow,
}
