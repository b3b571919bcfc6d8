"""Unusual files: huge pictures, decompression bombs, and PDFs that are damaged or have a password."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2


def blank_png(path: Path, width: int, height: int, kind: int = RGB) -> Path:
    """Write a real PNG of one colour, `width` by `height`, without ever holding it in memory."""
    with path.open("wb") as file:
        file.write(_SIGNATURE + _header(width, height, kind))
        for piece in _squeezed(bytes(1 + width * (3 if kind == RGB else 1)) for _ in range(height)):
            file.write(_chunk(b"IDAT", piece))
        file.write(_chunk(b"IEND", b""))
    return path


def overfull_png(path: Path, surplus: int) -> Path:
    """Write a PNG that says 100 by 100 and whose data goes on for `surplus` bytes when unpacked."""
    rows = [bytes(301) for _ in range(100)]
    more = (bytes(1 << 20) for _ in range(surplus >> 20))
    data = b"".join(_squeezed([*rows, *more]))
    parts = (_header(100, 100, RGB), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    path.write_bytes(_SIGNATURE + b"".join(parts))
    return path


def wordy_png(path: Path, length: int) -> Path:
    """Write a small PNG with a packed comment that unpacks to `length` bytes."""
    comment = b"Comment\0\0" + b"".join(_squeezed(b"a" * (1 << 20) for _ in range(length >> 20)))
    data = b"".join(_squeezed([bytes(301)] * 100))
    parts = (_header(100, 100, RGB), _chunk(b"zTXt", comment), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    path.write_bytes(_SIGNATURE + b"".join(parts))
    return path


def _header(width: int, height: int, kind: int) -> bytes:
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _squeezed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
