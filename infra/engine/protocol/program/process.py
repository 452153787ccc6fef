"""The program as a process: started, listened to, and ended."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import anyio
import anyio.abc

from infra.engine.deploy.contract import Program, UpdateRequest
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.steps.report import Report
from infra.engine.protocol.errors import ProgramFailedError
from infra.engine.protocol.program import host
from infra.engine.protocol.program.python import Interpreter

_ENTRY = Path(__file__).with_name("entry.py")
_TOLD_THE_USER = 32
_GRACE_SECONDS = 5
_LARGEST_READ = 65536


async def run(request: UpdateRequest, address: str, report: Report, stopping: anyio.Event) -> None:
    """Run the program against the servers at ``address`` to its end, or end it soon after ``stopping``.

    Raises ProgramFailedError when it fails.
    """
    if request.program is None:
        raise DeploymentError(
            "there is no program to run: run this in the project's folder, where Pulumi.yaml is"
        )
    if request.program.address:
        await host.run(request, address, stopping)
        return
    command, environment, directory = _command(request, request.program, address)
    process = await anyio.open_process(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with anyio.create_task_group() as reading:
            reading.start_soon(_say, process.stdout, report, "info", 1)
            reading.start_soon(_say, process.stderr, report, "info#err", 2)
            async with anyio.create_task_group() as watching:
                watching.start_soon(_end_after, process, stopping)
                code = await process.wait()
                watching.cancel_scope.cancel()
            # Its last words are read, but whatever it has left running isn't waited for.
            reading.cancel_scope.deadline = anyio.current_time() + _GRACE_SECONDS
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()
    if code and not stopping.is_set():
        told = code == _TOLD_THE_USER
        raise ProgramFailedError(
            f"an unhandled error occurred: program exited with non-zero exit code: {code}", told
        )


def _command(
    request: UpdateRequest, program: Program, address: str
) -> tuple[list[str], Mapping[str, str], Path]:
    directory, entry = program.root, "."
    if program.main:
        main = program.root / program.main
        directory, entry = (main, ".") if main.is_dir() else (main.parent, main.name)
        if not main.exists():
            raise DeploymentError(f"project 'main' could not be read: stat {main}: no such file or directory")
    interpreter = Interpreter.of(program)
    flags = {
        "monitor": address,
        "engine": address,
        "project": request.project,
        "root_directory": str(program.root),
        "stack": request.stack,
        "pwd": str(directory),
        "dry_run": "true" if request.kind == "preview" else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
        "debug": "true" if request.debug else "false",
    }
    arguments = [argument for name, value in flags.items() for argument in (f"--{name}", value)]
    environment = {
        **interpreter.environment,
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(sorted(request.secret_config)),
    }
    return [*interpreter.command, "-u", str(_ENTRY), *arguments, entry], environment, directory


async def _say(
    stream: anyio.abc.ByteReceiveStream | None,
    report: Report,
    severity: Literal["info", "info#err"],
    number: int,
) -> None:
    """Pass on what the program prints, line by line."""
    rest = b""
    while stream is not None:
        try:
            chunk = await stream.receive(_LARGEST_READ)
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            report.message(severity, line.decode(errors="replace") + "\n", "", number, ephemeral=False)
    if rest:  # a last line that was not ended
        report.message(severity, rest.decode(errors="replace"), "", number, ephemeral=False)


async def _end_after(process: anyio.abc.Process, stopping: anyio.Event) -> None:
    await stopping.wait()
    with anyio.move_on_after(_GRACE_SECONDS):
        await process.wait()
        return
    process.send_signal(signal.SIGINT)
    with anyio.move_on_after(_GRACE_SECONDS):
        await process.wait()
        return
    process.kill()
