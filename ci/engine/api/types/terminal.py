"""``terminal`` of containers, directories and services: a command on the user's terminal."""

from __future__ import annotations

import shlex

from ci.engine.api.registry import Call, serves
from ci.engine.api.types.common import works
from ci.engine.api.types.container.files import with_mounted_directory
from ci.engine.api.types.container.image import from_
from ci.engine.api.types.container.run import exec_of
from ci.engine.errors import EngineError
from ci.engine.graph.container import Container
from ci.engine.graph.files import Directory
from ci.engine.graph.host.terminal import on_terminal
from ci.engine.graph.serving.service import Service
from ci.engine.graph.steps.step import outfitted
from ci.engine.platform import host_platform
from ci.engine.sandbox.terminal import terminal as run_on_terminal
from ci.engine.sandbox.terminal import terminal_inside

SHELL = ("sh",)
#: The image that a directory is shown in, where no container is given, and where it is found there.
IMAGE, PLACE = "alpine", "/src"


@serves("Container", field="terminal")
async def of_container(
    call: Call,
    parent: Container,
    *,
    cmd: list[str] | None = None,
    experimental_privileged_nesting: bool = False,
    insecure_root_capabilities: bool = False,
) -> Container:
    """A command in a container like this one; what it changes is gone with it."""
    await _open(
        call,
        parent,
        tuple(cmd or ()) or parent.terminal_cmd or SHELL,
        nesting=experimental_privileged_nesting or parent.terminal_nesting,
        privileged=insecure_root_capabilities or parent.terminal_privileged,
    )
    return parent


@serves("Directory", field="terminal")
async def of_directory(
    call: Call,
    parent: Directory,
    *,
    container: Container | None = None,
    cmd: list[str] | None = None,
    experimental_privileged_nesting: bool = False,
    insecure_root_capabilities: bool = False,
) -> Directory:
    """A command in a container that has the directory mounted."""
    around = container or await from_(call, Container(host_platform()), address=IMAGE)
    mounted = await with_mounted_directory(call, around, path=PLACE, source=parent, read_only=True)
    await _open(
        call,
        mounted.with_config(workdir=PLACE),
        tuple(cmd or ()) or SHELL,
        nesting=experimental_privileged_nesting,
        privileged=insecure_root_capabilities,
    )
    return parent


@serves("Service", field="terminal")
async def of_service(call: Call, parent: Service, *, cmd: list[str] | None = None) -> Service:
    """A command beside the service's own, which is started if it does not run."""
    if parent.step is None or parent.container is None:
        raise EngineError("terminal not supported on non-container services")
    parts = works(call)
    args = tuple(cmd or ()) or parent.container.terminal_cmd or SHELL
    lending = parts.surroundings.lending
    lending.check()
    async with parts.services.using(parts.evaluator, parts.surroundings, (("", parent),)) as (running,):
        process, spec = running.process, running.spec
        if process is None or spec is None:
            raise EngineError(f"service {parent.hostname} is not running")
        await lending.open(
            f"service {parent.hostname} {shlex.join(args)}",
            lambda user: terminal_inside(process.pid, on_terminal(spec), args, user),
        )
    return parent


async def _open(
    call: Call, container: Container, args: tuple[str, ...], *, nesting: bool, privileged: bool
) -> None:
    parts = works(call)
    evaluator, surroundings = parts.evaluator, parts.surroundings
    step = exec_of(container, args, privileged=privileged, nesting=nesting)
    given = await evaluator.given(step)  # before the terminal is taken: it may take long, and is shown
    surroundings.lending.check()
    async with outfitted(evaluator, surroundings, step, given) as outfit:
        spec = on_terminal(outfit.room.spec)
        await surroundings.lending.open(step.title, lambda user: run_on_terminal(spec, user, outfit.berth))
