"""Images of this host's container runtime, by its command: Docker's, or another with the same words."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import anyio

from ci.engine.images.errors import ImageError, ImageNotFound
from ci.engine.images.reference import Reference

#: In the order in which they are looked for.
RUNTIMES = ("docker", "podman", "finch", "nerdctl")
#: Names the only one to use, as "docker-image".
RUNTIME = "_EXPERIMENTAL_DAGGER_RUNNER_IMAGESTORE"
_PATIENCE = 10.0
_LOADED = re.compile(r"\b(sha256:[0-9a-f]+|\S+:\S+)\b")


@dataclass(frozen=True, slots=True)
class HostStore:
    """The images that a runtime looks after; `command` is the path of its client."""

    command: str

    @property
    def runtime(self) -> str:
        """The runtime's name."""
        return self.command.rpartition("/")[2]

    async def identity(self, reference: Reference) -> str:
        """What an image's name means there now. Raises ImageNotFound, ImageError."""
        try:
            return await self._run("image", "inspect", "--format", "{{.Id}}", str(reference))
        except ImageError as error:
            raise ImageNotFound(
                f"{reference.familiar} is not among {self.runtime}'s images ({error}): "
                f"`{self.runtime} image ls` lists them"
            ) from error

    async def load(self, archive: IO[bytes], reference: Reference) -> None:
        """Take an image over from an archive, under a name. Raises ImageError."""
        said = await self._run("load", source=archive)
        loaded = _LOADED.search(said)
        if loaded is None:
            raise ImageError(f"unexpected output from {self.runtime} load: {said}")
        await self._run("tag", loaded[1], str(reference))

    async def save(self, reference: Reference, archive: Path) -> None:
        """Write an image as an archive. Raises ImageError, OSError."""
        with archive.open("wb") as file:
            await self._run("save", str(reference), target=file)

    async def _run(
        self, *words: str, source: IO[bytes] | None = None, target: IO[bytes] | None = None
    ) -> str:
        command = [self.command, *words]
        try:
            done = await anyio.run_process(
                command,
                stdin=source or subprocess.DEVNULL,
                stdout=target or subprocess.PIPE,
                stderr=subprocess.PIPE,
                check=False,
            )
        except OSError as error:
            raise ImageError(f"{self.runtime} {words[0]} failed: {error}") from error
        if done.returncode != 0:
            said = (done.stderr or b"").decode(errors="replace").strip() or f"exit status {done.returncode}"
            raise ImageError(f"{self.runtime} {words[0]} failed: {said}")
        return (done.stdout or b"").decode(errors="replace").strip()


async def find(environ: Mapping[str, str] = os.environ) -> HostStore | None:
    """The first runtime whose command is there and whose daemon answers, None when there is none."""
    named = environ.get(RUNTIME, "").removesuffix("-image")
    for runtime in (named,) if named else RUNTIMES:
        command = shutil.which(runtime, path=environ.get("PATH")) if runtime in RUNTIMES else None
        if command and await _answers([command, "version"]):
            return HostStore(command)
    return None


async def _answers(command: Sequence[str]) -> bool:
    with anyio.move_on_after(_PATIENCE):
        try:
            done = await anyio.run_process(command, check=False, stdin=subprocess.DEVNULL)
        except OSError:
            return False
        return done.returncode == 0
    return False
