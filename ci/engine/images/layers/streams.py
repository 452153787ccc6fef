"""Reading compressed streams: which compression it is shows in the first bytes."""

import gzip
import hashlib
import io
import lzma
import zlib
from typing import BinaryIO, cast

from backports import zstd

from ci.engine.store.blobs import Readable

#: What the decompressors raise on damaged or cut-off data.
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zstd.ZstdError)

_GZIP, _ZSTD, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00"


def decompress(stream: Readable) -> BinaryIO:
    """The plain bytes of a gzip, zstd, xz or uncompressed stream. Reading it raises one of DAMAGED."""
    source = io.BufferedReader(_Raw(stream), 1 << 18)
    head = source.peek(6)
    if head.startswith(_GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=source))
    if head.startswith(_ZSTD):
        return cast(BinaryIO, zstd.ZstdFile(source))
    if head.startswith(_XZ):
        return cast(BinaryIO, lzma.LZMAFile(source))
    return source


class HashingReader:
    """Passes a stream on and keeps the SHA-256 of what has been read."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes."""
        data = self._stream.read(size)
        self._hash.update(data)
        return data

    @property
    def digest(self) -> str:
        """Digest of the bytes so far."""
        return f"sha256:{self._hash.hexdigest()}"


class _Raw(io.RawIOBase):
    """What BufferedReader wants, over anything with a `read`."""

    def __init__(self, stream: Readable) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
