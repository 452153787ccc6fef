"""From a Spec to bwrap's options: namespaces, mounts, environment, user and capabilities."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from ci.engine.sandbox.errors import SandboxError
from ci.engine.sandbox.host import Host
from ci.engine.sandbox.overlay import files_in_memory, mounted
from ci.engine.sandbox.paths import Tree, tree
from ci.engine.sandbox.spec import Data, Mount, OverlayMount, Spec, Tmpfs

# What root of an ordinary container keeps: Docker's (and BuildKit's) default set, with the kernel's numbers.
CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_FOWNER": 3,
    "CAP_FSETID": 4,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_SETPCAP": 8,
    "CAP_NET_BIND_SERVICE": 10,
    "CAP_NET_RAW": 13,
    "CAP_SYS_CHROOT": 18,
    "CAP_MKNOD": 27,
    "CAP_AUDIT_WRITE": 29,
    "CAP_SETFCAP": 31,
}

# Docker's read-only paths that bwrap leaves alone: it asks access(2), which denies root to write in the
# directory /proc/sys, and takes the settings inside for read-only.
_READ_ONLY = ("/proc/fs", "/proc/sys")

# Docker's masked paths.
_MASKED_FILES = (
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/timer_list",
    "/proc/timer_stats",
)
_MASKED_DIRECTORIES = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/scsi",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
)

_NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
_LIFETIME = ("--die-with-parent", "--new-session")


@contextmanager
def prepared(spec: Spec, host: Host) -> Iterator[list[str]]:
    """Mount all that ``spec`` needs and yield bwrap's options for it; unmount and clean up at the end.

    Raises:
        SandboxError: a mount or a path in the spec makes no sense; the message names it.
    """
    _forbid_nul(spec)
    with ExitStack() as stack:
        root = stack.enter_context(mounted(spec.root))
        # Parents before what is mounted inside them, whatever the order they were given in.
        mounts = sorted(spec.mounts, key=lambda mount: len(Path(mount.target).parts))
        files = tuple(mount for mount in mounts if isinstance(mount, Data))
        contents = iter(stack.enter_context(files_in_memory(spec.root.work / "data", files)))
        overlays = iter(
            [
                stack.enter_context(mounted(mount.overlay))
                for mount in mounts
                if isinstance(mount, OverlayMount)
            ]
        )
        view = stack.enter_context(tree(root))
        options = [*_NAMESPACES, *_LIFETIME, "--hostname", spec.hostname]
        options += ["--unshare-net"] if spec.own_network else []
        options += ["--ro-bind" if spec.read_only_root else "--bind", str(root), "/"]
        options += _system(view, privileged=spec.privileged)
        for mount in mounts:
            options += _mount(mount, view, overlays, contents)
        options += _user(spec, host)
        options += _environment(spec, view.working_directory(spec.cwd, spec.uid, spec.gid))
        yield options


def _system(view: Tree, *, privileged: bool) -> list[str]:
    for target in ("/proc", "/dev", "/sys"):
        view.add_mount(target, None, directory=True)
    options = ["--proc", "/proc"]
    options += ["--dev-bind", "/dev", "/dev"] if privileged else ["--dev", "/dev"]
    options += ["--mqueue", "/dev/mqueue"] if not privileged else []
    options += ["--perms", "1777", "--tmpfs", "/dev/shm"]  # noqa: S108  the container's own
    options += ["--bind" if privileged else "--ro-bind", "/sys", "/sys"]
    return options if privileged else options + _masks()


@cache
def _masks() -> list[str]:
    options = []
    for path in _READ_ONLY:
        if Path(path).exists():
            options += ["--ro-bind", path, path]
    for path in _MASKED_FILES:
        if Path(path).exists():
            options += ["--dev-bind", "/dev/null", path]
    for path in _MASKED_DIRECTORIES:
        if Path(path).exists():
            options += ["--tmpfs", path, "--remount-ro", path]
    return options


def _mount(mount: Mount, view: Tree, overlays: Iterator[Path], contents: Iterator[Path]) -> list[str]:
    if isinstance(mount, Tmpfs):
        target = view.add_mount(mount.target, None, directory=True)
        size = [] if mount.size is None else ["--size", str(mount.size)]
        return ["--perms", f"{mount.mode:04o}", *size, "--tmpfs", target]
    fixed = False  # whether it is somebody else's, so that nothing may be made in it to mount on
    if isinstance(mount, OverlayMount):
        source, readonly = next(overlays), mount.readonly
    elif isinstance(mount, Data):
        source, readonly = next(contents), not mount.mode & 0o222
    else:
        source, readonly = mount.source.resolve(), mount.readonly
        fixed = readonly
        if not source.exists():
            msg = f"sandbox: {source}, to be mounted at {mount.target}, does not exist; create it first"
            raise SandboxError(msg)
    target = view.add_mount(mount.target, source, directory=source.is_dir(), fixed=fixed)
    return ["--ro-bind" if readonly else "--bind", str(source), target]


def _user(spec: Spec, host: Host) -> list[str]:
    options = []
    if (spec.uid, spec.gid) != (0, 0) and not host.uid_range:
        options += ["--unshare-user", "--uid", str(spec.uid), "--gid", str(spec.gid)]
    if spec.uid != 0:
        return [*options, "--cap-drop", "ALL"]
    if spec.privileged:
        return options
    options += ["--cap-drop", "ALL"]
    for name in _kept_capabilities():
        options += ["--cap-add", name]
    return options


@cache
def _kept_capabilities() -> tuple[str, ...]:
    """The default set, less what the engine does not have itself and so cannot give."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return tuple(name for name, bit in CAPABILITIES.items() if effective >> bit & 1)


def _environment(spec: Spec, directory: str) -> list[str]:
    options = ["--clearenv"]
    for name, value in spec.env:
        options += ["--setenv", name, value]
    return [*options, "--dir", directory, "--chdir", directory]


def _forbid_nul(spec: Spec) -> None:
    """Options travel separated by NUL: one inside a value would let it add options of its own."""
    words = [(f"argument {word!r}", word) for word in spec.args]
    words += [(f"environment variable {name!r}", name + value) for name, value in spec.env]
    words += [(f"mount target {mount.target!r}", mount.target) for mount in spec.mounts]
    words += [("working directory", spec.cwd), ("hostname", spec.hostname)]
    for what, word in words:
        if "\0" in word:
            msg = f"sandbox: {what} has a NUL byte in it, which no program can be given; remove it"
            raise SandboxError(msg)
