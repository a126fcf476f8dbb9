"""The libraries' index: which architecture has which keys and shapes; one file a library and version, in the cache folder."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from engine import storage
from engine.search.hashes import LIBRARIES, IndexedModel, hash_keys

FORMAT = 1
SIZE_LIMIT_BYTES = 96 << 20
MODELS_LIMIT = 200_000
_KEPT = 8
"""Best architectures of one library."""


class LibraryIndex(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All architectures of one version of a library, as far as they were built."""

    library: str
    version: str
    format: int = FORMAT
    done: int = 0
    """How many of the library's architectures were tried; the next one to try."""
    total: int = 0
    specs: tuple[str, ...] = ()
    counts: bytes = b""
    """Keys of each architecture, as little-endian 32-bit numbers."""
    keys: bytes = b""
    shaped: bytes = b""
    """Hashes of all architectures, one after another, 64 bits each."""

    @property
    def complete(self) -> bool:
        """Whether every architecture was tried."""
        return self.done >= self.total

    def with_models(self, models: Sequence[IndexedModel], done: int, total: int) -> LibraryIndex:
        """The index with more architectures; beyond the bounds of the file none is taken."""
        room = max(0, MODELS_LIMIT - len(self.specs))
        size = len(self.keys) + len(self.shaped)
        kept: list[IndexedModel] = []
        for model in models[:room]:
            size += len(model.keys) + len(model.shaped)
            if len(model.keys) == len(model.shaped) and len(model.keys) % 8 == 0 and 0 < size < SIZE_LIMIT_BYTES // 2:
                kept.append(model)
        counts = np.array([len(model.keys) // 8 for model in kept], dtype="<u4").tobytes()
        return msgspec.structs.replace(
            self, done=done, total=total, specs=(*self.specs, *(model.spec for model in kept)), counts=self.counts + counts,
            keys=b"".join([self.keys, *(model.keys for model in kept)]), shaped=b"".join([self.shaped, *(model.shaped for model in kept)]))


class Match(msgspec.Struct, frozen=True):
    """How one indexed architecture lies beside the keys of a file."""

    spec: str
    library: str
    matching: int
    """Keys with equal shapes."""
    named_alike: int
    """Keys that both have, whatever their shapes."""
    keys: int
    """Keys of either."""

    @property
    def score(self) -> float:
        """Share of keys that match; one whose shape differs counts half, because another size of the same architecture may fit."""
        return (self.matching + (self.named_alike - self.matching) / 2) / self.keys if self.keys else 0.0


def index_path(library: str, version: str) -> Path:
    """Where the index of this version lies."""
    return storage.cache_folder() / "classes" / f"{library}-{re.sub(r'[^A-Za-z0-9.+_-]', '_', version)[:60]}.msgpack"


def read(path: Path) -> LibraryIndex | None:
    """The index in a file; None where there is none, or it is damaged, too large or of another format."""
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT_BYTES + 1)
        index = msgspec.msgpack.decode(content, type=LibraryIndex) if len(content) <= SIZE_LIMIT_BYTES else None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return index if index is not None and _is_whole(index) else None


def write(index: LibraryIndex) -> None:
    """Keep an index; raises StorageError."""
    path = index_path(index.library, index.version)
    storage.make_folder(path.parent)
    storage.write_atomically(path, msgspec.msgpack.encode(index))


def _is_whole(index: LibraryIndex) -> bool:
    if index.format != FORMAT or len(index.counts) != 4 * len(index.specs) or len(index.keys) != len(index.shaped) or len(index.keys) % 8:
        return False
    return int(np.frombuffer(index.counts, dtype="<u4").sum(dtype=np.uint64)) * 8 == len(index.keys)


def indexes() -> list[LibraryIndex]:
    """One index a library: of the version that this Python has, else the newest file."""
    found = []
    for library in LIBRARIES:
        paths = sorted((storage.cache_folder() / "classes").glob(f"{library}-*.msgpack"), key=_age)
        installed = _installed(library)
        if installed is not None:
            paths.insert(0, index_path(library, installed))
        index = next((index for path in paths[:3] if (index := read(path)) is not None), None)
        if index is not None:
            found.append(index)
    return found


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def _installed(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def look_up(index: LibraryIndex, shapes: Iterable[tuple[str, tuple[int, ...]]]) -> list[Match]:
    """The architectures nearest to these keys and shapes, best first."""
    keys, shaped = (np.unique(np.frombuffer(part, dtype="<u8")) for part in hash_keys(shapes))
    counts = np.frombuffer(index.counts, dtype="<u4").astype(np.int64)
    if not len(keys) or not len(counts):
        return []
    ends = np.cumsum(counts)
    alike = _in_each(index.keys, keys, ends)
    matching = np.minimum(_in_each(index.shaped, shaped, ends), alike)
    either = np.maximum(counts + len(keys) - alike, 1)
    score = (matching + (alike - matching) / 2) / either
    best = sorted(np.argsort(-score, kind="stable")[: 4 * _KEPT].tolist(), key=lambda place: (-score[place], len(index.specs[place]), index.specs[place]))
    return [
        Match(index.specs[place], index.library, int(matching[place]), int(alike[place]), int(either[place])) for place in best[:_KEPT] if score[place] > 0
    ]


def _in_each(hashes: bytes, wanted: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """How many of each architecture's hashes are among the wanted (sorted) ones."""
    numbers = np.frombuffer(hashes, dtype="<u8")
    near = _near(numbers, wanted)
    places = np.minimum(np.searchsorted(wanted, numbers[near]), len(wanted) - 1)
    found: np.ndarray = np.bincount(np.searchsorted(ends, near[wanted[places] == numbers[near]], "right"), minlength=len(ends))
    return found


def _near(numbers: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Places of hashes that may be wanted ones, by their lowest 32 bits: looking into two tables is ten times faster than searching for each hash."""
    halves = numbers.view("<u2")
    places = np.flatnonzero(_table(wanted, 0)[halves[::4]])
    near: np.ndarray = places[_table(wanted, 16)[halves[1::4][places]]]
    return near


def _table(wanted: np.ndarray, shift: int) -> np.ndarray:
    """Of every value of 16 bits, whether a wanted hash has it there."""
    table = np.zeros(1 << 16, dtype=bool)
    table[(wanted >> np.uint64(shift)) & np.uint64(0xFFFF)] = True
    return table


def match_specs(specs: Iterable[str], name: str) -> list[str]:
    """Specs of the architecture called `name`, as `module:name` or `timm:create_model('name')`."""
    wanted = re.compile(rf"(:|\('){re.escape(name)}(\(|'|$)")
    return [spec for spec in specs if wanted.search(spec)]
