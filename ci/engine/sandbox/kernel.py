"""The few Linux system calls that Python 3.11 does not offer: namespaces, mounts and pid file descriptors."""

import ctypes
import os
import signal
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# From <linux/sched.h> and <linux/mount.h>; the same on every architecture.
CLONE_FS = 0x00000200
CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000
MS_NOSUID = 2
MS_NODEV = 4
MS_BIND = 4096
MS_REC = 16384
MS_SLAVE = 1 << 19
MNT_DETACH = 2

# From <linux/capability.h> and <linux/prctl.h>.
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63  # as many as the sets have room for
_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)


def apart(name: str, work: Callable[[], None]) -> None:
    """Do ``work``, which changes what the kernel has of a thread, in one of its own. Blocking.

    Raises:
        OSError: the work failed so.
    """
    failed: list[OSError] = []

    def run() -> None:
        try:
            work()
        except OSError as error:
            failed.append(error)

    # Not a pooled thread: it must end with its namespace, never run anybody else's work.
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def unshare(flags: int) -> None:
    """Move the calling thread to new namespaces (unshare(2)); OSError says why not."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def enter_network(namespace: str) -> None:
    """Move the calling thread to the network namespace that a file like ``/proc/1/ns/net`` is (setns(2))."""
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(descriptor, ctypes.c_int(CLONE_NEWNET)), namespace)
    finally:
        os.close(descriptor)


def mount(source: str, target: str | Path, kind: str | None, flags: int = 0, options: str = "") -> None:
    """Mount ``source`` on ``target`` (mount(2)); OSError names the target."""
    _check(
        _libc.mount(
            source.encode(),
            os.fsencode(target),
            kind.encode() if kind else None,
            flags,
            options.encode() or None,
        ),
        str(target),
    )


def unmount(target: Path) -> None:
    """Take the mount at ``target`` out of the tree at once, busy or not (umount2(2) with MNT_DETACH)."""
    _check(_libc.umount2(os.fsencode(target), ctypes.c_int(MNT_DETACH)), str(target))


def bound_capabilities(kept: frozenset[int]) -> None:
    """Let nothing that the calling thread starts gain capabilities other than ``kept`` (capabilities(7)).

    What it has already it goes on to have, and so does what it starts, until they give them up themselves.

    Raises:
        OSError: the thread may not do that.
    """
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    sets = ctypes.create_string_buffer(24)
    _check(_libc.capget(header, sets), "capget")
    words = list(struct.unpack("6I", sets.raw))
    words[2], words[5] = words[1], words[4]  # inheritable as permitted
    _check(_libc.capset(header, struct.pack("6I", *words)), "capset")
    for number in range(_LAST_CAPABILITY + 1):
        if number not in kept and _libc.prctl(_PR_CAPBSET_READ, number) == 1:
            _check(_libc.prctl(_PR_CAPBSET_DROP, number), "prctl")


def kill(pidfd: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to the process behind ``pidfd``; one that has already ended is no error."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, number)
