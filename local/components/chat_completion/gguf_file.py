"""Read and write GGUF files (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).

The `gguf` package's reader takes seconds for a 49,000-word vocabulary, because it makes an array of each string;
this one takes a tenth of a second, and keeps every field's type, so that a file can be written as it was read.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .errors import StepError

ALIGNMENT = 32
STRING, ARRAY = 8, 9
# GGUF value type -> struct format
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


@dataclass(frozen=True)
class Field:
    """A metadata value; `kind` is its GGUF type, and for arrays `item` the type of the elements."""

    kind: int
    value: Any
    item: int = -1


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies: `shape` as numpy has it (rows first), `type_id` as ggml numbers it."""

    shape: tuple[int, ...]
    type_id: int
    offset: int


class _Cursor:
    """Reads the header of a mapped file from front to back."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def scalar(self, kind: int) -> Any:
        form = _SCALARS[kind]
        value = struct.unpack_from(form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def string(self) -> str:
        length = self.scalar(10)
        start, self.at = self.at, self.at + length
        return self.data[start : self.at].decode("utf-8", errors="replace")

    def field(self) -> Field:
        kind = self.scalar(4)
        if kind == STRING:
            return Field(kind, self.string())
        if kind != ARRAY:
            return Field(kind, self.scalar(kind))
        item, count = self.scalar(4), self.scalar(10)
        if item == STRING:
            return Field(kind, [self.string() for _ in range(count)], item)
        form = f"<{count}{_SCALARS[item][1]}"
        values = list(struct.unpack_from(form, self.data, self.at))
        self.at += struct.calcsize(form)
        return Field(kind, values, item)

    def tensor(self) -> tuple[str, TensorInfo]:
        name = self.string()
        dimensions = tuple(self.scalar(10) for _ in range(self.scalar(4)))
        return name, TensorInfo(dimensions[::-1], self.scalar(4), self.scalar(10))


class GgufFile:
    """A GGUF file opened for reading: `fields` by key, `tensors` by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        cursor = _Cursor(self._data)
        magic, version = self._data[:4], struct.unpack_from("<I", self._data, 4)[0]
        if magic != b"GGUF" or version not in (2, 3):
            raise StepError(f"{path} is no GGUF file of version 2 or 3; the box's models are GGUF files.")
        cursor.at = 8
        tensors, keys = cursor.scalar(10), cursor.scalar(10)
        self.fields = {cursor.string(): cursor.field() for _ in range(keys)}
        self.tensors = dict(cursor.tensor() for _ in range(tensors))
        self._base = _aligned(cursor.at)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a metadata value, or the default."""
        field = self.fields.get(key)
        return default if field is None else field.value

    def raw(self, name: str) -> NDArray[np.uint8]:
        """Return a tensor's bytes as they lie in the file, in rows."""
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

        info = self.tensors[name]
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(info.type_id)]
        row = info.shape[-1] // block * size
        count = int(np.prod(info.shape[:-1], dtype=np.int64))
        flat = np.frombuffer(self._data, np.uint8, count * row, self._base + info.offset)
        return flat.reshape(*info.shape[:-1], row)

    def array(self, name: str) -> NDArray[np.float32]:
        """Return a tensor as float32, dequantised where it is quantised."""
        from gguf.constants import GGMLQuantizationType
        from gguf.quants import dequantize

        kind = GGMLQuantizationType(self.tensors[name].type_id)
        return np.asarray(dequantize(self.raw(name), kind), np.float32).reshape(self.tensors[name].shape)


@dataclass(frozen=True)
class Tensor:
    """A tensor to be written: its bytes in rows, its shape in elements, its ggml type."""

    shape: tuple[int, ...]
    type_id: int
    data: NDArray[Any]


def quantised(array: NDArray[np.float32]) -> Tensor:
    """Return a matrix as Q8_0 (vectors and odd widths stay float32, as llama.cpp does it)."""
    from gguf.constants import GGMLQuantizationType
    from gguf.quants import quantize

    if array.ndim < 2 or array.shape[-1] % 32:
        return Tensor(array.shape, int(GGMLQuantizationType.F32), np.ascontiguousarray(array, np.float32))
    kind = GGMLQuantizationType.Q8_0
    return Tensor(array.shape, int(kind), quantize(array, kind))


def write_gguf(path: Path, fields: dict[str, Field], tensors: dict[str, Tensor]) -> None:
    """Write a GGUF file of version 3."""
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields)))
        for key, field in fields.items():
            file.write(_string(key) + _field(field))
        offset = 0
        for name, tensor in tensors.items():
            head = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape[::-1])
            file.write(_string(name) + head + struct.pack("<IQ", tensor.type_id, offset))
            offset = _aligned(offset + tensor.data.nbytes)
        for tensor in tensors.values():
            _pad(file)
            file.write(np.ascontiguousarray(tensor.data).tobytes())
        _pad(file)


def _string(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _field(field: Field) -> bytes:
    head = struct.pack("<I", field.kind)
    if field.kind == STRING:
        return head + _string(field.value)
    if field.kind != ARRAY:
        return head + struct.pack(_SCALARS[field.kind], field.value)
    head += struct.pack("<IQ", field.item, len(field.value))
    if field.item == STRING:
        return head + b"".join(_string(text) for text in field.value)
    return head + struct.pack(f"<{len(field.value)}{_SCALARS[field.item][1]}", *field.value)


def _pad(file: BinaryIO) -> None:
    file.write(b"\0" * (_aligned(file.tell()) - file.tell()))


def _aligned(offset: int) -> int:
    return (offset + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
