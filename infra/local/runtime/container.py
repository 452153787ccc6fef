"""From a revision or a task and its image to a container: what Cloud Run's runtime contract says it finds.

https://cloud.google.com/run/docs/container-contract
"""

from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from ci.engine.images import (
    BrokenImage,
    Image,
    ImageError,
    ImageNotFound,
    Images,
    RegistryDenied,
    read_archive,
)
from ci.engine.sandbox import Data, Mount, Overlay, Spec
from ci.engine.store.blobs import Blobs, StoreError
from infra.local.runtime.accounts import Account, UnknownAccount, account
from infra.local.runtime.contract import DeployFailed, RevisionSpec
from infra.local.runtime.inside import METADATA
from infra.local.runtime.layers import Layers

ARCHIVE = "oci-archive:"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HOSTS = f"127.0.0.1 localhost\n{METADATA} metadata.google.internal metadata\n".encode()


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image that is ready to be run: its layers on disk, top-most first, and who it runs as."""

    image: Image
    layers: tuple[Path, ...]
    account: Account


class Preparation:
    """Gets images ready: `oci-archive:PATH` from a file, all others from `images`."""

    def __init__(self, images: Images, blobs: Blobs, layers: Layers) -> None:
        self._images = images
        self._blobs = blobs
        self._layers = layers

    async def prepare(self, reference: str) -> Prepared:
        """The image of that name, unpacked. Raises DeployFailed with what Google says."""
        try:
            image = await self._find(reference)
            layers = await self._layers.stacked(image)
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


def container(spec: RevisionSpec, prepared: Prepared, folder: Path, more: dict[str, str]) -> Spec:
    """The sandbox's container: changes to files go to `folder`; `more` are variables of the platform's own.

    Raises DeployFailed when there is no command, or a secret is no text.
    """
    config, who = prepared.image.config, prepared.account
    command = spec.command or config.entrypoint or ()
    # As in Kubernetes: a command of one's own leaves the image's arguments out.
    args = spec.args or (() if spec.command else config.cmd or ())
    if not (*command, *args):
        raise DeployFailed("CONTAINER_MISSING", f"Image '{spec.image}' has no command to run.")
    variables = {"PATH": _PATH, "HOME": who.home}
    variables |= dict(item.partition("=")[::2] for item in config.env)
    variables |= {**spec.env, **_texts(spec), **more}
    files: list[Mount] = [Data(_HOSTS, "/etc/hosts", 0o444)]
    files += [Data(content, path, 0o444, who.uid, who.gid) for path, content in spec.files.items()]
    upper = folder / "upper"
    upper.mkdir()
    upper.chmod(0o755)
    return Spec(
        Overlay(prepared.layers, upper, folder / "work"),
        (*command, *args),
        tuple(variables.items()),
        config.workdir or "/",
        who.uid,
        who.gid,
        who.groups,
        tuple(files),
        hostname="localhost",
        own_network=True,
    )


def _texts(spec: RevisionSpec) -> dict[str, str]:
    texts = {}
    for name, content in spec.secret_env.items():
        try:
            texts[name] = content.decode()
        except UnicodeDecodeError:
            message = f"The secret for the environment variable {name} is not valid UTF-8."
            raise DeployFailed("SECRETS_ACCESS_CHECK_FAILED", message) from None
    return texts
