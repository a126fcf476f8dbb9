"""Files spoiled at random but repeatably: bytes changed, taken out, put in, repeated, swapped, cut; entries of archives spoiled within a whole archive."""

from __future__ import annotations

import io
import random
import zipfile

LARGEST_BYTES = 4 << 20
TELLING = [b"\x80\x02", b"\x80\x04", b"PK\x03\x04", b"PK\x01\x02", b"cposix\nsystem\n", b"R", b"b", b".", b"\x93", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x8d" + b"\xff" * 8,
           b"{", b"[" * 200, b'"', b"\x0a\xff\xff\xff\xff\x0f", b"\x8a\x04\xff\xff\xff\x7f", b"as_expr", b"1e999", b"-1", b"9" * 30, b"\xe2\x80\xae", b"u", b"(", b"t", b"\x85"]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """`content`, spoiled in one to eight places; of an archive, now and then an entry instead of the archive."""
    if content[:2] == b"PK" and zipfile.is_zipfile(io.BytesIO(content)) and chance.random() < 0.5:
        return _in_archive(content, chance)
    return _in_bytes(content, chance)


def _in_bytes(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    # Descriptions lie at the beginning or the end; the middle is mostly numbers.
    reach = len(data) if chance.random() < 0.5 else min(len(data), 2000)
    for _ in range(chance.randrange(1, 9)):
        at = chance.randrange(max(1, reach))
        at = len(data) - at if chance.random() < 0.3 else at
        match chance.randrange(7):
            case 0 | 1:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                del data[at : at + chance.randrange(1, 60)]
            case 3:
                data[at:at] = chance.choice(TELLING)
            case 4:
                data[at : at + 8] = chance.choice(TELLING)
            case 5:
                data[at:at] = data[at : at + chance.randrange(1, 300)]
            case 6 if chance.random() < 0.3:
                del data[at:]
    return bytes(data)


def _in_archive(content: bytes, chance: random.Random) -> bytes:
    """A whole archive around spoiled, lost, doubled or renamed entries."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w", chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as made:
        entries = source.infolist()
        chosen = {entry.filename for entry in chance.sample(entries, min(len(entries), chance.randrange(1, 3)))}
        for entry in entries:
            data = source.read(entry)
            if entry.filename not in chosen:
                made.writestr(entry.filename, data)
            elif (deed := chance.randrange(6)) > 0:
                name = entry.filename + ("x" if deed == 1 else "")
                made.writestr(name, data if deed == 1 else _in_bytes(data, chance))
    return target.getvalue()
