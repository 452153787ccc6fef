"""``Container``: steps and services - run a command, read what it printed, stay up for others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ci.engine.api.registry import Call, refuse, serves
from ci.engine.api.types.common import expanded, works
from ci.engine.api.types.service import up
from ci.engine.errors import EngineError
from ci.engine.graph.container import Container
from ci.engine.graph.serving.service import Service, valid_hostname
from ci.engine.graph.steps import capture
from ci.engine.graph.steps.execution import Exec, Output, Result
from ci.engine.platform import host_platform, runs_here

refuse("Container", "experimental_with_gpu", "experimental_with_all_gp_us", because="it has no GPUs")
refuse("Container", "with_mounted_volume", because="it mounts no remote file systems")


def exec_of(parent: Container, args: tuple[str, ...], **options: object) -> Exec:
    """A command to run in a container."""
    return Exec(
        rootfs=parent.rootfs,
        args=args,
        env=tuple(sorted(parent.env.items())),
        secret_env=parent.secret_env,
        volatile_env=parent.volatile_env,
        mounts=parent.mounts,
        services=parent.services,
        cwd=parent.config.workdir or "/",
        user=parent.config.user,
        **options,  # type: ignore[arg-type]
    )


def _runnable(parent: Container) -> None:
    if not runs_here(parent.platform):
        raise EngineError(
            f"exec format error: a program for {parent.platform} can't be run on this machine "
            f"({host_platform()}): register an emulator such as qemu-user-static, or use a machine of its own"
        )


@serves("Container")
def with_exec(
    _call: Call,
    parent: Container,
    *,
    args: list[str],
    use_entrypoint: bool = False,
    stdin: str = "",
    redirect_stdin: str = "",
    redirect_stdout: str = "",
    redirect_stderr: str = "",
    expect: str = "SUCCESS",
    experimental_privileged_nesting: bool = False,
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,
) -> Container:
    """With a command run."""
    if stdin and redirect_stdin:
        raise EngineError("cannot set both stdin and redirectStdin")
    _runnable(parent)
    command = list(args) or list(parent.config.cmd or ())
    redirects = [redirect_stdin, redirect_stdout, redirect_stderr]
    if expand:
        command = [expanded(parent, arg) for arg in command]
        redirects = [expanded(parent, path) for path in redirects]
    if use_entrypoint:
        command = [*(parent.config.entrypoint or ()), *command]
    if not command:
        raise EngineError("no command has been set")
    step = exec_of(
        parent,
        tuple(command),
        stdin=stdin,
        redirect_stdin=redirects[0],
        redirect_stdout=redirects[1],
        redirect_stderr=redirects[2],
        expect=expect,
        privileged=insecure_root_capabilities,
        init=not no_init,
        nesting=experimental_privileged_nesting,
    )
    mounts = tuple(
        replace(mount, files=Output(step, index))
        if mount.kind in {"directory", "file"} and not mount.readonly
        else mount
        for index, mount in enumerate(parent.mounts)
    )
    return replace(parent, rootfs=Output(step), mounts=mounts, last=step, image_ref=None)


async def _result(call: Call, parent: Container) -> Result:
    if parent.last is None:
        raise EngineError("no command has been set")
    return await works(call).evaluator.execute(parent.last)


async def _text(call: Call, digest: str) -> str:
    parts = works(call)
    data = await parts.evaluator.in_thread(capture.read_text, parts.store, digest)
    return data.decode(errors="replace")


@serves("Container")
async def stdout(call: Call, parent: Container) -> str:
    """What the last command printed on its standard output."""
    return await _text(call, (await _result(call, parent)).stdout)


@serves("Container")
async def stderr(call: Call, parent: Container) -> str:
    """What the last command printed on its standard error."""
    return await _text(call, (await _result(call, parent)).stderr)


@serves("Container")
async def combined_output(call: Call, parent: Container) -> str:
    """What the last command printed, in the order it arrived."""
    return await _text(call, (await _result(call, parent)).combined)


@serves("Container")
async def exit_code(call: Call, parent: Container) -> int:
    """The last command's exit code."""
    return (await _result(call, parent)).exit_code


@serves("Container")
async def sync(call: Call, parent: Container) -> Container:
    """Have everything that leads here done."""
    evaluator = works(call).evaluator
    mounted = [mount.files for mount in parent.mounts if mount.files is not None]
    await evaluator.evaluate_all([parent.rootfs, *mounted])
    return parent


@serves("Container")
def as_service(
    _call: Call,
    parent: Container,
    *,
    args: list[str] | None = None,
    use_entrypoint: bool = False,
    experimental_privileged_nesting: bool = False,
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,
) -> Service:
    """As a service: the default command, or ``args``, that stays up."""
    config = parent.config
    given = tuple(expanded(parent, arg) if expand else arg for arg in args or ())
    command = given or config.cmd or ()
    if use_entrypoint or not (parent.default_args or given):
        command = (*(config.entrypoint or ()), *command)
    if not command:
        raise EngineError("no service command has been set: use asService(args: ...) or withDefaultArgs")
    _runnable(parent)
    step = exec_of(
        replace(parent, volatile_env=()),  # a service is shared by those who have other values
        command,
        privileged=insecure_root_capabilities,
        init=not no_init,
        nesting=experimental_privileged_nesting,
    )
    return Service(step, parent, parent.ports)


@serves("Container", field="up")
async def serve(
    call: Call,
    parent: Container,
    *,
    random: bool = False,
    ports: list[dict[str, Any]] | None = None,
    args: list[str] | None = None,
    use_entrypoint: bool = False,
    experimental_privileged_nesting: bool = False,
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,
) -> None:
    """As a service that is open to the host until the session ends."""
    started = as_service(
        call,
        parent,
        args=args,
        use_entrypoint=use_entrypoint,
        experimental_privileged_nesting=experimental_privileged_nesting,
        insecure_root_capabilities=insecure_root_capabilities,
        expand=expand,
        no_init=no_init,
    )
    await up(call, started, ports=ports, random=random)


@serves("Container")
def with_service_binding(_call: Call, parent: Container, *, alias: str, service: Service) -> Container:
    """With a service reachable under a name."""
    if not valid_hostname(alias):
        raise EngineError(f"service alias {alias!r} is no hostname: use letters, digits, '-', '_' and '.'")
    others = tuple(pair for pair in parent.services if pair[0] != alias)
    return replace(parent, services=(*others, (alias, service)), image_ref=None)
