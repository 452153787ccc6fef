"""Reading a .deb: an ar archive of two tars, `control` and `data` (deb(5))."""

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from ci.engine.images.debian.control import stanza
from ci.engine.images.errors import BootstrapFailed
from ci.engine.images.layers.member import Kind, Member, from_tar
from ci.engine.images.layers.streams import DAMAGED, decompress
from ci.engine.store.blobs import CHUNK

_MAGIC = b"!<arch>\n"
_HEADER = 60
_KINDS: dict[bytes, Kind] = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.DIRTYPE: "dir",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
}


@dataclass(frozen=True, slots=True)
class Deb:
    """A package, taken apart.

    `fields` are those of its control file; `scripts` all other control files by name; `members` what it
    installs.
    """

    fields: dict[str, str]
    scripts: dict[str, bytes]
    members: tuple[Member, ...]

    @property
    def name(self) -> str:
        """The package's name."""
        return self.fields["Package"]


def read_deb(path: Path, contents: BinaryIO) -> Deb:
    """Take a .deb apart.

    Its files' bytes go to `contents`, an empty file that has to stay open while members are read.
    Raises BootstrapFailed when it is damaged, OSError.
    """
    try:
        with path.open("rb") as file:
            control = data = None
            for name, part in _parts(file):
                if name.startswith("control.tar"):
                    control = _control(part)
                elif name.startswith("data.tar"):
                    data = _data(part, contents)
        if control is None or data is None:
            raise BootstrapFailed(f"{path} is no Debian package: delete it and try again")
        return Deb(stanza(control.pop("control").decode()), control, data)
    except (tarfile.TarError, KeyError, ValueError, *DAMAGED) as error:
        raise BootstrapFailed(f"the package {path} is damaged ({error}): delete it and try again") from error


class _Part(io.RawIOBase):
    """A stretch of a file, as a stream."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__()
        self._file = file
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


def _parts(file: BinaryIO) -> Iterator[tuple[str, _Part]]:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("not an ar archive")
    at = len(_MAGIC)
    while len(header := file.read(_HEADER)) == _HEADER:
        size = int(header[48:58])
        yield header[:16].decode().rstrip(" /"), _Part(file, size)
        at += _HEADER + size + size % 2
        file.seek(at)


def _control(part: _Part) -> dict[str, bytes]:
    files = {}
    with tarfile.open(fileobj=decompress(part), mode="r|") as tar:
        for info in tar:
            if info.isfile() and (content := tar.extractfile(info)):
                files[info.name.removeprefix("./")] = content.read()
    return files


def _data(part: _Part, contents: BinaryIO) -> tuple[Member, ...]:
    plain = decompress(part)
    while chunk := plain.read(CHUNK):
        contents.write(chunk)
    contents.flush()
    contents.seek(0)
    with tarfile.open(fileobj=contents, mode="r:") as tar:
        return tuple(_member(info, contents) for info in tar)


def _member(info: tarfile.TarInfo, contents: BinaryIO) -> Member:
    kind = _KINDS.get(info.type)
    if kind is None:
        raise ValueError(f"{info.name} is of the unknown type {info.type!r}")
    member = from_tar(info, info.name.removeprefix("./").rstrip("/"), kind)
    if kind == "hardlink":
        return replace(member, link=info.linkname.removeprefix("./"))
    return replace(member, open=_opener(contents, info.offset_data, info.size)) if kind == "file" else member


def _opener(file: BinaryIO, offset: int, size: int) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(os.pread(file.fileno(), size, offset))
