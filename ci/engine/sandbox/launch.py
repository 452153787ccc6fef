"""Starting bwrap: its descriptors, its user, and what its complaints mean."""

import asyncio
import fcntl
import os
import re
import signal
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import anyio

from ci.engine.sandbox import users
from ci.engine.sandbox.berth import Berth
from ci.engine.sandbox.errors import CommandNotExecutable, CommandNotFound, SandboxError
from ci.engine.sandbox.host import Host, program
from ci.engine.sandbox.spec import Spec

_COMPLAINT = (b"bwrap: ", b"./bwrap: ")  # how bwrap's own messages start, and its loader's
_HELD = 2048  # bytes; its messages are far shorter
_INSTRUCTION = 8  # bytes; no filter is shorter

_EXEC_FAILED = re.compile(r"^bwrap: execvp (?P<command>.*): (?P<reason>[^:]*)$", re.DOTALL)
_NOT_EXECUTABLE = {"Permission denied", "Exec format error", "Is a directory"}


@dataclass(slots=True)
class Launched:
    """A bwrap that has been started and holds its command back until the gate is opened.

    ``stdout``, ``stderr`` and ``status`` are the reading ends of pipes, ``exited`` is bwrap's pidfd; whoever
    reads them closes them.
    """

    process: subprocess.Popen[bytes]
    stdout: int
    stderr: int
    status: int
    exited: int
    _gate: list[int] = field(default_factory=list)
    _handed: int = 0

    async def reach_gate(self, filters: bytes) -> None:
        """Wait until bwrap is at the gate, or has died: it gets there when all but the command is in place.

        It is handed the first of the filter. A pipe of one page takes nothing more until that has been read.
        """
        (gate,) = self._gate
        fcntl.fcntl(gate, fcntl.F_SETPIPE_SZ, 1)  # the kernel rounds it up to a page
        self._hand(filters[:_INSTRUCTION])
        empty, loop = anyio.Event(), asyncio.get_running_loop()
        loop.add_writer(gate, empty.set)
        try:
            await empty.wait()
        finally:
            loop.remove_writer(gate)

    def open_gate(self, filters: bytes) -> None:
        """Hand over the system call filter that bwrap waits for, and with it let the command start."""
        self._hand(filters[self._handed :])
        self.close_gate()

    def _hand(self, piece: bytes) -> None:
        with suppress(BrokenPipeError):  # it has died meanwhile; its exit tells more
            os.write(self._gate[0], piece)
        self._handed += len(piece)

    def close_gate(self) -> None:
        """Give up the gate: a bwrap that still waits there gives up too."""
        if self._gate:
            os.close(self._gate.pop())

    def kill(self) -> None:
        """Kill bwrap, which has not been waited for, with the child that it may just have started.

        Until bwrap lets it go on, that child waits for it alone, and would so for ever: it ends with its
        parent only afterwards. Until then it is in the same process group.
        """
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Complaints:
    """A step's stderr, less what bwrap itself says there when it can't run the command.

    A stream that starts like bwrap's words is held back until the end, or until it is too long for them.
    """

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        self._deliver = deliver
        self._held = b""
        self._decided = False

    @property
    def text(self) -> str:
        """What is held back."""
        return self._held.decode(errors="replace").strip()

    def hear(self, chunk: bytes) -> None:
        """Take a chunk of stderr, and pass it on if it is the step's."""
        if self._decided:
            self._deliver(chunk)
            return
        self._held += chunk
        if not self._held.startswith(_COMPLAINT) or len(self._held) > _HELD:
            self.release()

    def release(self) -> None:
        """Pass on what was held back: it is the step's after all."""
        self._decided = True
        held, self._held = self._held, b""
        if held:
            self._deliver(held)


def bwrap(spec: Spec, options: list[str], host: Host, berth: Berth) -> Launched:
    """Start bwrap for ``spec`` in a session of its own, so that a terminal's Ctrl-C does not reach it.

    Raises:
        SandboxError: it can't be executed, or the arguments are too long for the kernel.
    """
    if not spec.args:
        msg = "sandbox: there is no command to run; give args at least one word"
        raise SandboxError(msg)
    with ExitStack() as theirs, ExitStack() as ours:

        def pipe(*, reading: bool) -> tuple[int, int]:
            """Our end and theirs."""
            ends = os.pipe()
            keep, give = ends if reading else ends[::-1]
            ours.callback(os.close, keep)
            theirs.callback(os.close, give)
            return keep, give

        stdout, stderr, status = (pipe(reading=True) for _ in range(3))
        gate = pipe(reading=False)
        passed = {"--json-status-fd": status[1], "--seccomp": gate[1]}
        if host.uid_range and spec.uid:
            passed["--userns"] = users.namespace(spec.uid)
            if spec.init:
                # bwrap closes this one before it runs the command; --userns alone would leave it open.
                passed["--sync-fd"] = passed["--userns"]
        passed["--args"] = _in_memory("options", "\0".join([*options, ""]).encode(), theirs)
        stdin = subprocess.DEVNULL if spec.stdin is None else _in_memory("stdin", spec.stdin, theirs)
        process = _spawn(spec, host, passed, (stdin, stdout[1], stderr[1]), berth)
        ours.pop_all()
    return Launched(process, stdout[0], stderr[0], status[0], os.pidfd_open(process.pid), [gate[0]])


def _spawn(
    spec: Spec, host: Host, passed: dict[str, int], streams: tuple[int, int, int], berth: Berth
) -> subprocess.Popen[bytes]:
    """Execute bwrap with the options that take a descriptor, as the step's user where there is one."""
    found = program()
    words = [word for option, number in passed.items() for word in (option, str(number))]
    words += [] if spec.init else ["--as-pid-1"]
    # Where there is but one user, bwrap maps the step's ids to it.
    other = users.become(spec.uid, spec.gid, spec.groups) if host.uid_range and spec.uid else []
    grouped = host.uid_range and not spec.uid and bool(spec.gid or spec.groups)
    stdin, stdout, stderr = streams
    for stream in (stdout, stderr):
        # So that /dev/stdout can be opened by name; an id unknown to the kernel is the engine's own then.
        with suppress(OSError):
            os.fchown(stream, spec.uid, spec.gid)

    def started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*other, found.name, *words, "--", *spec.args],
            cwd=found.directory,
            env=found.environment,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=set(passed.values()),
            start_new_session=True,
            umask=0o022,
            group=spec.gid if grouped else None,
            extra_groups=spec.groups if grouped else None,
        )

    try:
        return berth.start(started)
    except OSError as error:
        msg = f"sandbox: cannot start bwrap for {spec.args[0]}: {error.strerror}"
        raise SandboxError(msg) from error


def explain(complaint: str, spec: Spec) -> SandboxError:
    """What bwrap said when it could not run the command, as an error of this package."""
    failed = _EXEC_FAILED.match(complaint)
    if failed is None:
        command = spec.args[0] if spec.args else "nothing"
        said = complaint.removeprefix("bwrap: ") or "bwrap ended without a word"
        return SandboxError(f"sandbox: cannot set up the container for {command}: {said}")
    command, reason = failed["command"], failed["reason"]
    if reason in _NOT_EXECUTABLE:
        msg = (
            f"{command}: cannot be executed in the container: {reason}; "
            "give it execute permission, and check that it is a program for this machine"
        )
        return CommandNotExecutable(msg, command)
    if reason == "Argument list too long":
        return SandboxError(f"sandbox: {command}: {reason}; pass the data in a file or on stdin")
    path = dict(spec.env).get("PATH", "/bin:/usr/bin")
    where = "in the container" if "/" in command else f"in the container's PATH ({path})"
    msg = f"{command}: not found {where}, or what runs it (its #! line or loader) is missing; install it"
    return CommandNotFound(msg, command)


def _in_memory(name: str, content: bytes, closing: ExitStack) -> int:
    """A file that exists only in memory, open at its start."""
    number = os.memfd_create(name)
    closing.callback(os.close, number)
    with os.fdopen(number, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(number, 0, os.SEEK_SET)
    return number
