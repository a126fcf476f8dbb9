"""Protocol buffers, read field by field without a schema: enough to look into an ONNX file."""

from __future__ import annotations

from collections.abc import Iterator

from engine.files.reading import Broken, Source, TooComplex, Truncated

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIELDS_LIMIT = 2_000_000
_WINDOW_BYTES = 1 << 16
Field = tuple[int, int, int, int]
"""Number, wire type, then value (VARINT) or offset of the content, and the content's length."""


class Fields:
    """Reads fields by offset through a window, so that gigabytes of weights are stepped over; counts what it read."""

    def __init__(self, source: Source) -> None:
        self._source, self._start, self._window = source, 0, b""
        self.left = FIELDS_LIMIT

    def bytes_at(self, offset: int, length: int) -> bytes:
        """`length` bytes; raises Truncated when the file ends before."""
        begin = offset - self._start
        if begin < 0 or begin + length > len(self._window):
            self._start, self._window = offset, self._source.read_at(offset, max(length, _WINDOW_BYTES))
            begin = 0
        data = self._window[begin : begin + length]
        if len(data) < length:
            raise Truncated(length - len(data))
        return data

    def varint(self, offset: int) -> tuple[int, int]:
        """The number at `offset` and the offset after it."""
        value = shift = 0
        while shift < 70:
            byte = self.bytes_at(offset, 1)[0]
            offset += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, offset
            shift += 7
        raise Broken("a number without end")

    def of(self, offset: int, length: int) -> Iterator[Field]:
        """The fields of the message in that stretch; raises Broken, Truncated, TooComplex."""
        end = offset + length
        while offset < end:
            self.left -= 1
            if self.left < 0:
                raise TooComplex
            key, offset = self.varint(offset)
            number, wire = key >> 3, key & 7
            if number == 0:
                raise Broken("field 0")
            value, size, offset = self._content(wire, offset)
            if offset > end:
                raise Truncated(offset - end)
            yield number, wire, value, size

    def _content(self, wire: int, offset: int) -> tuple[int, int, int]:
        if wire == VARINT:
            value, offset = self.varint(offset)
            return value, 0, offset
        if wire == BYTES:
            size, offset = self.varint(offset)
            return offset, size, offset + size
        if wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
            return offset, size, offset + size
        raise Broken(f"wire type {wire}")

    def text(self, offset: int, length: int, limit: int = 4096) -> str:
        """A string field, cut at `limit` bytes."""
        return self.bytes_at(offset, min(length, limit)).decode("utf-8", "replace")


def signed(value: int) -> int:
    """A varint's value as the 64-bit signed number that it stands for."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
