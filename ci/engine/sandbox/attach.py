"""Run as a script: joins the namespaces of a process and runs a command there, with the rights it has.

Started by ``inside.run`` in a Python process of its own, for a user namespace can only be entered by a
process of one thread. What to do is one JSON object on standard input, which keeps variables that are secret
off the command line.

A command on a terminal gets one of the container's own, whose other side is sent to the engine.
"""

import contextlib
import ctypes
import json
import os
import sys
from typing import Any

# The user namespace last: the others may belong to one further out, which it has no rights in.
_NAMESPACES = ("ipc", "uts", "net", "cgroup", "pid", "mnt", "user")
_PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 23, 24, 38
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_IGNORED = (13, 25)  # SIGPIPE and SIGXFSZ: by Python, and by whatever it executes unless told otherwise
_CAN_T_RUN = 126


def _join(pid: int, libc: ctypes.CDLL) -> None:
    """Enter the namespaces that are not ours already; all are opened before the first is entered."""
    descriptors = []
    for name in _NAMESPACES:
        theirs = f"/proc/{pid}/ns/{name}"
        if os.readlink(theirs) != os.readlink(f"/proc/self/ns/{name}"):
            descriptors.append(os.open(theirs, os.O_RDONLY | os.O_CLOEXEC))
    for descriptor in descriptors:
        if libc.setns(descriptor, 0) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), f"namespaces of process {pid}")


def _command(pid: int) -> int:
    """The container's command: the first child of its first process, unless that is the command itself."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return int((children.read().split() or [str(pid)])[0])


def _permitted(pid: int) -> int:
    """The capabilities that a process has, as bits."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return next(int(line.split()[1], 16) for line in status if line.startswith("CapPrm:"))


def _limit(permitted: int, libc: ctypes.CDLL) -> None:
    """Have the command start with no other capabilities, and get none by a program's set-user-id bit."""
    number = 0
    while (held := libc.prctl(_PR_CAPBSET_READ, number, 0, 0, 0)) >= 0:
        if held and not permitted >> number & 1:
            libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
        number += 1
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _become(task: dict[str, Any]) -> None:
    if task["groups"] is not None:
        os.setgroups(task["groups"])
    if os.getgid() != task["gid"]:
        os.setresgid(task["gid"], task["gid"], task["gid"])
    if os.getuid() != task["uid"]:
        os.setresuid(task["uid"], task["uid"], task["uid"])
    os.chdir(task["cwd"])


def _filter(program: bytes, libc: ctypes.CDLL) -> None:
    """Install a system call filter, as seccomp(2) takes it."""

    class Program(ctypes.Structure):
        """The kernel's struct sock_fprog."""

        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    filters = Program(len(program) // 8, program)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filters), 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _terminal(task: dict[str, Any]) -> None:
    """Open a terminal inside the container, send its other side to the engine, and have it control us."""
    import fcntl
    import socket
    import termios

    engine, theirs = os.openpty()
    with contextlib.suppress(OSError):
        os.fchown(theirs, task["uid"], task["gid"])
    with socket.socket(fileno=task["terminal"]) as channel:
        socket.send_fds(channel, [b"."], [engine])
    os.close(engine)
    os.setsid()
    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
    for stream in (0, 1, 2):
        os.dup2(theirs, stream)
    if theirs > 2:
        os.close(theirs)


def _run(task: dict[str, Any], permitted: int, libc: ctypes.CDLL) -> None:
    """Become what the container's commands are, and the command."""
    if task.get("terminal") is None:
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    else:
        _terminal(task)
    for signal in _IGNORED:
        libc.signal(signal, None)
    _limit(permitted, libc)
    _become(task)
    if program := bytes.fromhex(task.get("filter", "")):
        _filter(program, libc)
    os.execvpe(task["args"][0], task["args"], task["env"])  # noqa: S606  no shell, as meant


def _main() -> int:
    task: dict[str, Any] = json.load(sys.stdin)
    if task.get("terminal") is not None:
        for name in ("fcntl", "socket", "termios"):
            __import__(name)  # later it would be looked for inside the container
    libc = ctypes.CDLL(None, use_errno=True)
    permitted = _permitted(_command(task["pid"]))
    _join(task["pid"], libc)
    child = os.fork()  # a process namespace is entered by children alone
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        _run(task, permitted, libc)
    except OSError as error:
        os.write(2, f"{task['args'][0]}: {error.strerror}\n".encode())
    os._exit(_CAN_T_RUN)


if __name__ == "__main__":
    result = _main()
    sys.exit(result if result >= 0 else 128 - result)
