"""Reading tars whose authors may want the reader to run out of disk, memory or patience."""

import contextlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from ci.engine.images.errors import BrokenImage
from ci.engine.images.layers.streams import DAMAGED, HashingReader, decompress
from ci.engine.store.blobs import CHUNK, Readable

#: No header is longer: paths have 4 KiB at most, and extended attributes 64 KiB each.
_LONGEST_HEADER = 4 << 20
#: Attributes for all members that follow; tools write a handful.
_MOST_GLOBAL = 100


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a layer may become: `free` bytes whatever it is, and above that `ratio` times its size.

    Real layers unpack to two to ten times their size; a bomb to a thousand times (gzip) or far more (zstd).
    """

    free: int = 1 << 30
    ratio: int = 200


USUAL = Bounds()


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """Give what tarfile and the decompressors raise its name."""
    try:
        yield
    except (tarfile.TarError, *DAMAGED, ValueError, OverflowError) as error:
        raise BrokenImage(f"the layer is damaged ({error}): pull the image again") from error
    except RecursionError:
        raise BrokenImage("the layer has headers without end: do not use this image") from None


class Counted:
    """Passes a stream on and counts its bytes."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""
        data = self._stream.read(size)
        self.count += len(data)
        return data


class TarReader:
    """A layer's tar, whatever its compression, read once and forwards in bounded memory.

    It is the file that `tarfile` reads from. Reading raises BrokenImage when the layer becomes larger than
    its `bounds` allow, or has a header that no tool writes.
    """

    def __init__(self, layer: Readable, bounds: Bounds = USUAL) -> None:
        self._packed = Counted(layer)
        self._plain = HashingReader(decompress(self._packed))
        self._bounds = bounds
        self._at = 0
        self._written = 0
        self._tar: tarfile.TarFile | None = None

    @property
    def digest(self) -> str:
        """The digest of the plain bytes so far."""
        return self._plain.digest

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        """The tar's entries; take the content of each before the next."""
        with _damage():
            with tarfile.TarFile(fileobj=cast(BinaryIO, self), encoding="utf-8") as tar:
                self._tar = tar
                while (info := tar.next()) is not None:
                    if info.size < 0:
                        raise BrokenImage(
                            f"the layer's {info.name!r} has {info.size} bytes: do not use this image"
                        )
                    yield info
                    # tarfile would keep every entry until the end.
                    cast(Any, tar).members.clear()
                    if len(tar.pax_headers) > _MOST_GLOBAL:
                        raise BrokenImage("the layer has headers without end: do not use this image")
            while self.read(CHUNK):
                pass

    def content(self, info: tarfile.TarInfo) -> Iterator[bytes]:
        """A file's bytes, in pieces; holes of a sparse file count as written."""
        with _damage():
            source = self._tar and self._tar.extractfile(info)
            while source and (chunk := source.read(CHUNK)):
                self._written += len(chunk)
                self._check(self._written)
                yield chunk

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""
        if size < 0 or size > _LONGEST_HEADER:
            raise BrokenImage(f"the layer has a header of {size} bytes: do not use this image")
        parts = []
        while size and (data := self._plain.read(size)):
            parts.append(data)
            size -= len(data)
            self._at += len(data)
        self._check(self._at)
        return b"".join(parts)

    def tell(self) -> int:
        """How many plain bytes have been read."""
        return self._at

    def seek(self, position: int, whence: int = 0, /) -> int:
        """Go on to a position further on."""
        if whence != 0 or position < self._at:
            raise BrokenImage("the layer has an entry that leads backwards: do not use this image")
        while self._at < position and self.read(min(CHUNK, position - self._at)):
            pass
        return self._at

    def _check(self, size: int) -> None:
        free, ratio = self._bounds.free, self._bounds.ratio
        if size > free and size > ratio * self._packed.count:
            raise BrokenImage(
                f"the layer is a decompression bomb: its first {self._packed.count} bytes unpack to more "
                f"than {ratio} times as many, and to more than {free >> 20} MiB: do not use this image"
            )
