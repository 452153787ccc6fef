"""A run of the program: started, listened to, and ended."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from io import FileIO
from typing import Literal

import anyio

from infra.engine.deploy.contract import UpdateRequest
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.steps.report import Report
from infra.engine.protocol.errors import ProgramFailedError
from infra.engine.protocol.program import host
from infra.engine.protocol.program.launcher import Launcher

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
    given = request.launcher
    with nullcontext(given) if given else Launcher(request.program) as launcher:
        code = await _run(launcher, request, address, report, stopping)
    if code and not stopping.is_set():
        raise ProgramFailedError(
            f"an unhandled error occurred: program exited with non-zero exit code: {code}",
            told=code == _TOLD_THE_USER,
        )


async def _run(
    launcher: Launcher, request: UpdateRequest, address: str, report: Report, stopping: anyio.Event
) -> int:
    words, environment = _order(launcher, request, address)
    again = launcher.again and request.kind == "preview"
    with _pipe() as (out, to_out), _pipe() as (err, to_err):
        pid = await launcher.start(words, environment, (to_out.fileno(), to_err.fileno()), again)
        to_out.close()
        to_err.close()
        ended = await launcher.ended() if pid is None else 0
        if said := launcher.said():
            report.message("info#err", said, "", 2, ephemeral=False)
        if pid is None:
            return ended
        async with anyio.create_task_group() as reading:
            reading.start_soon(_say, out, report, "info", 1)
            reading.start_soon(_say, err, report, "info#err", 2)
            code = await _until_ended(launcher, pid, stopping)
            # Its last words are read, but whatever it has left running isn't waited for.
            reading.cancel_scope.deadline = anyio.current_time() + _GRACE_SECONDS
    return code


async def _until_ended(launcher: Launcher, pid: int, stopping: anyio.Event) -> int:
    try:
        async with anyio.create_task_group() as watching:
            watching.start_soon(_end_after, pid, stopping)
            code = await launcher.ended()
            watching.cancel_scope.cancel()
    except BaseException:
        _signal(pid, signal.SIGKILL)
        raise
    return code


async def _end_after(pid: int, stopping: anyio.Event) -> None:
    await stopping.wait()
    await anyio.sleep(_GRACE_SECONDS)
    _signal(pid, signal.SIGINT)
    await anyio.sleep(_GRACE_SECONDS)
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _order(launcher: Launcher, request: UpdateRequest, address: str) -> tuple[list[str], dict[str, str]]:
    """The words of entry.py's command line, and what is added to the environment."""
    flags = {
        "monitor": address,
        "engine": address,
        "project": request.project,
        "root_directory": str(launcher.root),
        "stack": request.stack,
        "pwd": str(launcher.folder),
        "dry_run": "true" if request.kind == "preview" else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
        "debug": "true" if request.debug else "false",
    }
    words = [word for name, value in flags.items() for word in (f"--{name}", value)]
    environment = {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(sorted(request.secret_config)),
    }
    return [*words, launcher.entry], environment


@contextmanager
def _pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """The end to read from and the end to write to; both may be closed before."""
    read, write = os.pipe()
    with FileIO(read, "rb") as out, FileIO(write, "wb") as into:
        yield out, into


async def _say(stream: FileIO, report: Report, severity: Literal["info", "info#err"], number: int) -> None:
    """Pass on what the program prints, line by line."""
    rest = b""
    while True:
        await anyio.wait_readable(stream)
        chunk = os.read(stream.fileno(), _LARGEST_READ)
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            report.message(severity, line.decode(errors="replace") + "\n", "", number, ephemeral=False)
    if rest:
        report.message(severity, rest.decode(errors="replace") + "\n", "", number, ephemeral=False)
