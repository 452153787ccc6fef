"""A container that runs, in its surroundings: files in memory, a place on the network, a metadata server."""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from ci.engine.sandbox import Process, SandboxError, start
from infra.local.runtime import memory, words
from infra.local.runtime.container import container
from infra.local.runtime.contract import Log, RevisionSpec
from infra.local.runtime.files import Scratch, in_memory, scratch
from infra.local.runtime.metadata import Identity, Metadata, Self
from infra.local.runtime.network import Network, Plug
from infra.local.runtime.output import Lines
from infra.local.runtime.rootfs import Prepared

_SHARED_MEMORY = "/dev/shm"  # noqa: S108  the container's


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What containers share: where files go, the network, who signs tokens, how a project is numbered."""

    folder: Path
    network: Network
    identity: Identity
    number: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Running:
    """A container that runs."""

    process: Process
    plug: Plug
    spec: RevisionSpec
    scratch: Scratch

    async def exceeds_memory(self) -> int:
        """Wait until it has more memory than it may, files included; how many bytes it has."""
        folders = (_SHARED_MEMORY, *self.spec.empty_dirs)
        return await memory.exceeded(
            self.process.pid,
            self.spec.memory,
            lambda: self.scratch.used() + in_memory(self.process.pid, folders),
        )


@asynccontextmanager
async def running(
    spec: RevisionSpec, prepared: Prepared, around: Surroundings, log: Log, *, name: str, more: dict[str, str]
) -> AsyncIterator[Running]:
    """Run a container that knows itself by `name`, with variables `more`, no longer than this context.

    Raises DeployFailed when it can't be set up.
    """
    metadata = Metadata(_self(spec, around, name), around.identity)
    streams = [Lines(spec.key, stream, log) for stream in ("stdout", "stderr")]
    plugs: list[Plug] = []

    async def prepare(pid: int) -> None:
        plugs.append(await around.network.plug(pid, metadata))

    with ExitStack() as files:
        try:
            place = files.enter_context(scratch(around.folder, spec.name, spec.memory))
            box = container(spec, prepared, place.folder, more)
            async with start(box, streams[0], streams[1], prepare) as process:
                yield Running(process, plugs[0], spec, place)
        except (SandboxError, OSError) as error:
            raise words.not_set_up(error) from error
        finally:
            for plug in plugs:
                plug.unplug()
            for stream in streams:
                stream.end()
            with anyio.CancelScope(shield=True):  # giving back much memory takes its time
                await anyio.to_thread.run_sync(files.pop_all().close)


def _self(spec: RevisionSpec, around: Surroundings, name: str) -> Self:
    number = around.number(spec.project)
    account = spec.service_account or f"{number}-compute@developer.gserviceaccount.com"
    return Self(spec.project, number, spec.location, name, account)
