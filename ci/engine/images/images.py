"""One function that yields an image by its name: the one here, a registry's, or one built for it."""

import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio

from ci.engine.images import names
from ci.engine.images.errors import BootstrapFailed, BrokenImage, RegistryDenied, RegistryUnreachable
from ci.engine.images.image import Image
from ci.engine.images.manifest import is_index, load, pick, read_index, save
from ci.engine.images.reference import Reference, parse_reference
from ci.engine.images.registry.credentials import Credentials
from ci.engine.store.blobs import BlobNotFound, Blobs

Progress = Callable[[str], None]


class Images:
    """The images known here, by name, in the folder `state`; their bytes are in `blobs`.

    `progress` gets a line of text when something takes its time.
    """

    def __init__(
        self,
        state: Path,
        blobs: Blobs,
        *,
        progress: Progress = lambda _line: None,
        credentials: Credentials | None = None,
    ) -> None:
        self._state = state
        self._blobs = blobs
        self._progress = progress
        self._credentials = credentials

    async def resolve(
        self, reference: str | Reference, platform: str = "linux/amd64", *, refresh: bool = False
    ) -> Image:
        """The image of that name, with all its blobs here.

        One that is here is taken as it is, unless `refresh` asks the registry first. Where no registry
        answers, well-known base images (`python:3.X[-slim]`, `debian:SUITE[-slim]`) are built from Debian
        packages.

        Raises ImageError (InvalidReference, ImageNotFound, UnsupportedPlatform, RegistryDenied,
        RegistryUnreachable, BrokenImage, BootstrapFailed), StoreFull.
        """
        name = parse_reference(reference) if isinstance(reference, str) else reference
        known = self.known(name, platform)
        if known is not None and not refresh:
            return known
        async with self._alone(name, platform):
            # Somebody else may have got it while this one waited.
            now = self.known(name, platform)
            if now is not None and (not refresh or now != known):
                return now
            try:
                return self.remember(name, await self._obtain(name, platform), platform)
            except (RegistryUnreachable, RegistryDenied):
                if now is None:
                    raise
                return now

    def known(self, reference: Reference, platform: str) -> Image | None:
        """The image, when all of it is here."""
        try:
            digest = reference.digest or self._file(reference, platform).read_text(encoding="ascii").strip()
            data = self._blobs.read(digest)
            if is_index(data):
                digest = pick(read_index(data, digest), platform, reference.familiar).digest
            image = load(digest, self._blobs, reference.familiar)
        except (OSError, BlobNotFound, BrokenImage, ValueError):
            return None
        if not all(self._blobs.has(layer.digest) for layer in image.layers):
            return None
        with contextlib.suppress(OSError):  # known by its digest alone
            os.utime(self._file(reference, platform))
        return image

    def remember(self, reference: Reference, image: Image, platform: str | None = None) -> Image:
        """Keep an image under a name, for its platform; the image with its digest. Raises StoreFull.

        `platform` is how it was asked for ("linux/arm64"), where the image says more ("linux/arm64/v8").
        """
        if image.digest is None:
            digest = save(image, self._blobs).digest
            image = load(digest, self._blobs, reference.familiar)
        if reference.digest is None:
            names.keep(self._file(reference, platform or image.platform), image.digest or "")
        return image

    async def _obtain(self, reference: Reference, platform: str) -> Image:
        # These cost a tenth of a second to import, which a run that has its images need not pay.
        from ci.engine.images.debian import bootstrap, recipe
        from ci.engine.images.registry import Registry

        wanted = recipe(reference)
        # With another way at hand, there is no point in being patient.
        patience: dict[str, Any] = {} if wanted is None else {"connect": 3.0, "idle": 10.0, "attempts": 1}
        registry = Registry(self._blobs, credentials=self._credentials, **patience)
        try:
            return await registry.pull(reference, platform)
        except (RegistryUnreachable, RegistryDenied) as error:
            if wanted is None:
                raise
            self._progress(
                f"no registry has {reference.familiar}: building its equivalent from Debian packages, once"
            )
            try:
                return await bootstrap(
                    wanted, blobs=self._blobs, state=self._state, progress=self._progress, platform=platform
                )
            except BootstrapFailed as failure:
                raise BootstrapFailed(f"{error}; and {failure}") from failure

    @contextlib.asynccontextmanager
    async def _alone(self, reference: Reference, platform: str) -> AsyncIterator[None]:
        """Only one process at a time gets an image; the others wait for it."""
        lock = self._file(reference, platform).with_suffix(".lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("ab") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await anyio.sleep(0.1)
            yield

    def _file(self, reference: Reference, platform: str) -> Path:
        place = names.folder(self._state) / reference.registry / reference.repository
        return place / reference.selector.replace(":", "-") / platform.replace("/", "-")
