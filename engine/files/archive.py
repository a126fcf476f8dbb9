"""A zip archive's directory and bounded reads of its entries, the way torch names them: below one common folder."""

from __future__ import annotations

import io
import zipfile
from types import TracebackType
from typing import Self

from engine.files.reading import Broken, Source, TooComplex

DIRECTORY_LIMIT_BYTES = 64 << 20
_END, _END_BYTES = b"PK\x05\x06", 22


class Archive:
    """The entries of a zip file without their common first folder."""

    def __init__(self, source: Source, zip_file: zipfile.ZipFile) -> None:
        self.source, self._zip = source, zip_file
        infos = zip_file.infolist()
        self.full_names = [info.filename for info in infos]
        prefix = self.full_names[0].split("/", 1)[0] + "/" if self.full_names and "/" in self.full_names[0] else ""
        self._infos = {info.filename.removeprefix(prefix): info for info in infos if info.filename.startswith(prefix)}
        self.sizes = {name: info.file_size for name, info in self._infos.items()}
        self.names = list(self._infos)
        self.strays = len(self._infos) != len(infos)
        """Whether some entries lie outside of that folder (or bear one name)."""
        # torch's own reader finds entries without regard to case, so two that differ by case only could show us one and load the other.
        self.ambiguous = len({name.lower() for name in self.full_names}) != len(self.full_names)

    def read(self, name: str, limit_bytes: int) -> bytes:
        """The whole entry; raises TooComplex above the limit, whatever size the directory claims."""
        info = self._infos.get(name)
        if info is None:
            raise Broken(f"no entry {name}")
        if info.compress_type == zipfile.ZIP_STORED:
            return self._read_stored(info, limit_bytes)
        try:
            with self._zip.open(info) as entry:
                data = entry.read(limit_bytes + 1)
        except zipfile.BadZipFile as error:
            raise Broken("an entry does not match its description") from error
        if len(data) > limit_bytes:
            raise TooComplex
        return data

    def inner(self, name: str, limit_bytes: int) -> Source:
        """The entry as a file of its own: in place where it is stored, unpacked below the limit where it is not."""
        info = self._infos.get(name)
        if info is not None and info.compress_type == zipfile.ZIP_STORED:
            return self.source.within(self._start_of(info), info.file_size)
        data = self.read(name, limit_bytes)
        return Source(self.source.path, io.BytesIO(data), len(data))

    def _read_stored(self, info: zipfile.ZipInfo, limit_bytes: int) -> bytes:
        """Straight from the file: torch may be told to leave checksums out, and zipfile would refuse such an entry."""
        if info.file_size > limit_bytes:
            raise TooComplex
        data = self.source.read_at(self._start_of(info), info.file_size)
        if len(data) < info.file_size:
            raise Broken("an entry reaches beyond the file")
        return data

    def _start_of(self, info: zipfile.ZipInfo) -> int:
        header = self.source.read_at(info.header_offset, 30)
        if header[:4] != b"PK\x03\x04" or len(header) < 30:
            raise Broken("an entry without its header")
        return info.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._zip.close()


def open_archive(source: Source) -> Archive:
    """The archive in `source`; raises BadZipFile when it has no readable directory, TooComplex when that is absurdly large."""
    tail = source.read_at(max(0, source.size_bytes - 65557), 65557)
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_BYTES:
        raise zipfile.BadZipFile("no end record")
    directory = int.from_bytes(tail[end + 12 : end + 16], "little")
    if directory != 0xFFFFFFFF and directory > min(DIRECTORY_LIMIT_BYTES, source.size_bytes):
        raise TooComplex if directory <= source.size_bytes else Broken("the directory is larger than the file")
    return Archive(source, zipfile.ZipFile(source.file))
