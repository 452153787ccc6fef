"""Uploads under way: bytes of a blob that is not complete yet, as files that survive a kill.

The digest is kept while bytes come in; after a restart it is made again from what is there.
"""

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.to_thread

from ci.engine.store.blobs import CHUNK, Blobs, room
from infra.local.registry.errors import RegistryError
from infra.local.registry.names import Place

_ID = re.compile(r"[0-9a-f]{32}")
_LONGEST_LIFE = 24 * 3600.0  # seconds without a byte


class Upload:
    """One blob as it comes in; `size` bytes of it are here. One request at a time may hold `lock`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.lock = anyio.Lock()
        self._hash = hashlib.sha256()

    @property
    def id(self) -> str:
        """What the client calls it."""
        return self.path.name

    async def append(self, chunks: AsyncIterator[bytes]) -> None:
        """Take in what comes; when the client goes away, what came is kept. Raises StoreFull."""
        with room(self.path), self.path.open("ab") as file:
            waiting, size = list[bytes](), 0
            try:
                async for chunk in chunks:
                    waiting.append(chunk)
                    size += len(chunk)
                    if size >= CHUNK:
                        taken, waiting, size = waiting, [], 0
                        await anyio.to_thread.run_sync(self._write, file, taken)
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(self._write, file, waiting)

    async def finish(self, digest: str, blobs: Blobs) -> None:
        """Make it the blob of that digest. Raises RegistryError (DIGEST_INVALID), StoreFull."""
        found = f"sha256:{self._hash.hexdigest()}"
        if found != digest:
            raise RegistryError(
                "DIGEST_INVALID", f"the bytes that came have the digest {found}, the request says {digest}"
            )
        with room(self.path):
            await anyio.to_thread.run_sync(self._settle, blobs.path(digest))

    def rehash(self) -> None:
        """Find size and digest of what is in the file."""
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                self._hash.update(chunk)
                self.size += len(chunk)

    def _write(self, file: BinaryIO, chunks: list[bytes]) -> None:
        for chunk in chunks:
            file.write(chunk)
            self._hash.update(chunk)
            self.size += len(chunk)
        file.flush()

    def _settle(self, target: Path) -> None:
        if target.exists():
            self.path.unlink()
            return
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        self.path.rename(target)


class Uploads:
    """The uploads in `folder`, which has to be in the file system of the blobs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, Upload] = {}

    def start(self, place: Place) -> Upload:
        """A new upload of a blob for an image. Raises StoreFull."""
        path = self._folder / place.folder / uuid.uuid4().hex
        with room(self._folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o644)
        upload = self._open[path] = Upload(path)
        return upload

    async def find(self, place: Place, name: str) -> Upload:
        """The upload of that id, perhaps a former process's. Raises RegistryError (BLOB_UPLOAD_UNKNOWN)."""
        path = self._folder / place.folder / name
        if _ID.fullmatch(name) and path.is_file():
            if path not in self._open:
                fresh = Upload(path)
                await anyio.to_thread.run_sync(fresh.rehash)
                # Another request may have been quicker: there is only one.
                self._open.setdefault(path, fresh)
            return self._open[path]
        raise RegistryError("BLOB_UPLOAD_UNKNOWN", f"there is no upload {name[:64]!r}: start another one")

    def forget(self, upload: Upload) -> None:
        """The upload is done, or nobody wants it any more."""
        self._open.pop(upload.path, None)
        upload.path.unlink(missing_ok=True)

    def expire(self) -> None:
        """Remove what nobody has gone on with for a day."""
        before = time.time() - _LONGEST_LIFE
        for folder in self._folder.glob("*"):
            for path in folder.glob("*"):
                if path not in self._open and path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)
            if not any(folder.iterdir()):
                shutil.rmtree(folder, ignore_errors=True)
