"""Images as directories that overlayfs can stack: each layer unpacked once, and kept."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from ci.engine.images import Image, Layer, unpack
from ci.engine.store.blobs import Blobs
from infra.local.runtime.rootfs import retention


class Layers:
    """The layers in `folder`, unpacked from `blobs`; with `own` (as root) their files keep their owners."""

    def __init__(self, folder: Path, blobs: Blobs, *, own: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._blobs = blobs
        self._own = own
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def prune(self, references: Iterable[str]) -> None:
        """Remove what none of the images of these names is made of; only while nothing is unpacked or run."""
        await anyio.to_thread.run_sync(retention.prune, self._folder, references)

    async def stacked(self, reference: str, image: Image) -> tuple[Path, ...]:
        """The directories of the image of that name, top-most first.

        Raises BrokenImage when a layer is damaged or hostile, StoreFull, BlobNotFound, OSError.
        """
        chain, below = "", list[Path]()
        for layer in image.layers:
            # What a layer does not list itself has the attributes of the layers below: a chain, not a layer.
            chain = hashlib.sha256(f"{chain}+{layer.diff_id}".encode()).hexdigest()
            place = self._folder / chain
            async with self._locks[chain]:
                if not place.exists():
                    await anyio.to_thread.run_sync(self._unpack, layer, place, tuple(below))
            below.insert(0, place)
        await anyio.to_thread.run_sync(retention.note, self._folder, reference, below)
        return tuple(below)

    def _unpack(self, layer: Layer, place: Path, below: Sequence[Path]) -> None:
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        root = fresh / "root"
        try:
            root.mkdir()
            self._fill(root, layer, below)
            root.rename(place)
        except OSError:
            if not place.is_dir():  # another process was quicker
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _fill(self, root: Path, layer: Layer, below: Sequence[Path]) -> None:
        with self._blobs.open(layer.digest) as stream:
            members = list(unpack(stream, root, own=self._own, diff_id=layer.diff_id))
        listed = {member.path for member in members if not member.implied}
        for member in members:
            if member.implied and member.path not in listed:
                self._inherit(root / member.path, member.path, below)
        if "." not in listed:
            self._inherit(root, ".", below)

    def _inherit(self, made: Path, path: str, below: Sequence[Path]) -> None:
        for folder in below:
            try:
                found = os.lstat(folder / path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            if stat.S_ISDIR(found.st_mode):
                if self._own:
                    os.chown(made, found.st_uid, found.st_gid)
                made.chmod(stat.S_IMODE(found.st_mode))
            return
        made.chmod(0o755)
