"""Starting bwrap: its descriptors, its user, and what its complaints mean."""

import os
import re
import subprocess
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from ci.engine.sandbox import users
from ci.engine.sandbox.errors import CommandNotExecutable, CommandNotFound, SandboxError
from ci.engine.sandbox.host import Host, program
from ci.engine.sandbox.spec import Spec

COMPLAINT = b"bwrap: "  # how bwrap's own messages start

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

    def open_gate(self, filters: bytes) -> None:
        """Hand over the system call filter that bwrap waits for, and with it let the command start."""
        with suppress(BrokenPipeError):  # it has died meanwhile; its exit tells more
            os.write(self._gate[0], filters)
        self.close_gate()

    def close_gate(self) -> None:
        """Give up the gate: a bwrap that still waits there gives up too."""
        if self._gate:
            os.close(self._gate.pop())


def bwrap(spec: Spec, options: list[str], host: Host) -> Launched:
    """Start bwrap for ``spec`` in a session of its own, so that a terminal's Ctrl-C does not reach it.

    Raises:
        SandboxError: it can't be executed, or the arguments are too long for the kernel.
    """
    found = program()
    with ExitStack() as passed, ExitStack() as kept:

        def pipe(*, reading: bool) -> tuple[int, int]:
            """One end to keep, the other to pass on."""
            ends = os.pipe()
            keep, give = ends if reading else ends[::-1]
            kept.callback(os.close, keep)
            passed.callback(os.close, give)
            return keep, give

        stdout, stdout_writer = pipe(reading=True)
        stderr, stderr_writer = pipe(reading=True)
        status, status_writer = pipe(reading=True)
        gate, gate_reader = pipe(reading=False)
        for writer in (stdout_writer, stderr_writer):
            # So that /dev/stdout can be opened by name; an id unknown to the kernel is the engine's own then.
            with suppress(OSError):
                os.fchown(writer, spec.uid, spec.gid)
        own = ["--json-status-fd", str(status_writer), "--seccomp", str(gate_reader)]
        own += [] if spec.init else ["--as-pid-1"]
        inherited = [status_writer, gate_reader]
        identity: dict[str, object] = {}
        if host.uid_range and (spec.uid or spec.gid or spec.groups):
            identity = {"user": spec.uid, "group": spec.gid, "extra_groups": list(spec.groups)}
        if host.uid_range and spec.uid:
            inherited.append(users.namespace(spec.uid))
            own += ["--userns", str(inherited[-1])]
            # bwrap closes this one before it runs the command, while --userns alone would leave it open.
            own += ["--sync-fd", str(inherited[-1])] if spec.init else []
        arguments = _in_memory("bwrap options", "\0".join([*options, *own]).encode() + b"\0", passed)
        stdin = subprocess.DEVNULL if spec.stdin is None else _in_memory("stdin", spec.stdin, passed)
        process = _spawn(
            [found.name, "--args", str(arguments), "--", *spec.args],
            cwd=found.directory,
            env=found.environment,
            stdin=stdin,
            stdout=stdout_writer,
            stderr=stderr_writer,
            pass_fds=(*inherited, arguments),
            **identity,
        )
        kept.pop_all()
    return Launched(process, stdout, stderr, status, os.pidfd_open(process.pid), [gate])


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
    msg = f"{command}: not found {where}, or what runs it (its #! line, its loader) is missing there; install it"
    return CommandNotFound(msg, command)


def _spawn(argv: list[str], **how: object) -> subprocess.Popen[bytes]:
    if len(argv) == argv.index("--") + 1:
        msg = "sandbox: there is no command to run; give args at least one word"
        raise SandboxError(msg)
    try:
        return subprocess.Popen(argv, start_new_session=True, umask=0o022, **how)  # type: ignore[call-overload,no-any-return]
    except OSError as error:
        msg = f"sandbox: cannot start bwrap for {argv[argv.index('--') + 1]}: {error.strerror}"
        raise SandboxError(msg) from error


def _in_memory(name: str, content: bytes, closing: ExitStack) -> int:
    """A file that exists only in memory, open at its start."""
    number = os.memfd_create(name)
    closing.callback(os.close, number)
    with os.fdopen(number, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(number, 0, os.SEEK_SET)
    return number
