"""Getting an image ready to be run: found, unpacked, and who it runs as."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import anyio.to_thread

from ci.engine.images import (
    BrokenImage,
    Image,
    ImageError,
    ImageNotFound,
    RegistryDenied,
    read_archive,
)
from ci.engine.store.blobs import Blobs, StoreError
from infra.local.runtime.contract import DeployFailed
from infra.local.runtime.rootfs.accounts import Account, UnknownAccount, account
from infra.local.runtime.rootfs.layers import Layers

ARCHIVE = "oci-archive:"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image that is ready to be run: its layers on disk, top-most first, and who it runs as."""

    image: Image
    layers: tuple[Path, ...]
    account: Account


class Source(Protocol):
    """Where images come from."""

    async def resolve(self, reference: str) -> Image:
        """The image of that name, with all its blobs here. Raises ImageError, StoreFull."""


class Preparation:
    """Gets images ready: `oci-archive:PATH` from a file, all others from `images`."""

    def __init__(self, images: Source, blobs: Blobs, layers: Layers) -> None:
        self._images = images
        self._blobs = blobs
        self._layers = layers

    async def prepare(self, reference: str) -> Prepared:
        """The image of that name, unpacked. Raises DeployFailed with what Google says."""
        try:
            image = await self._find(reference)
            layers = await self._layers.stacked(reference, image)
            return Prepared(image, layers, account(layers, image.config.user))
        except ImageNotFound as error:
            raise DeployFailed("CONTAINER_MISSING", f"Image '{reference}' not found.", str(error)) from error
        except RegistryDenied as error:
            message = (
                f"Google Cloud Run Service Agent does not have permission to read the image, {reference}."
            )
            raise DeployFailed("CONTAINER_PERMISSION_DENIED", message, str(error)) from error
        except BrokenImage as error:
            message = f"Image '{reference}' could not be imported: {error}"
            raise DeployFailed("CONTAINER_MISSING", message, str(error)) from error
        except (ImageError, UnknownAccount) as error:
            raise DeployFailed("CONTAINER_MISSING", f"Image '{reference}' not found: {error}") from error
        except (StoreError, OSError) as error:
            raise DeployFailed("INTERNAL", f"Image '{reference}' could not be unpacked: {error}") from error

    async def _find(self, reference: str) -> Image:
        if reference.startswith(ARCHIVE):
            path = Path(reference.removeprefix(ARCHIVE))
            return await anyio.to_thread.run_sync(read_archive, path, self._blobs)
        return await self._images.resolve(reference)
