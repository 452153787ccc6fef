"""Layers made by hand, as friends and enemies make them."""

import io
import tarfile
from collections.abc import Callable

import pytest

from ci.engine.store.blobs import Blobs


@pytest.fixture
def blobs(tmp_path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def tar() -> Callable[..., io.BytesIO]:
    """A tar of (name, content): bytes are a file, None a directory, `->x` a symlink, `=>x` a hard link."""

    def make(*entries: tuple[str, bytes | str | None], **attributes: int) -> io.BytesIO:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, content in entries:
                info = tarfile.TarInfo(name)
                info.mode = 0o755 if content is None else 0o644
                for attribute, value in attributes.items():
                    setattr(info, attribute, value)
                if content is None:
                    info.type = tarfile.DIRTYPE
                elif isinstance(content, str):
                    info.type = tarfile.SYMTYPE if content.startswith("->") else tarfile.LNKTYPE
                    info.linkname = content[2:]
                else:
                    info.size = len(content)
                archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
        stream.seek(0)
        return stream

    return make
