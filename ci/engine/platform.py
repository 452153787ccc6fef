"""What the engine says of itself: the version of the API it serves, and the platform it runs on."""

import os
from pathlib import Path

from ci.engine.errors import EngineError

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7", "i686": "386"}


def api_version() -> str:
    """Return the version as Dagger writes it: that of the installed SDK."""
    from importlib.metadata import version  # with all that reads e-mail headers

    return f"v{version('dagger-io')}"


def host_platform() -> str:
    """Return this machine's platform as OCI writes it, such as ``linux/amd64``."""
    machine = os.uname().machine
    return f"linux/{ARCHITECTURES.get(machine, machine)}"


# What containerd's platforms package knows, and how it writes them.
_SYSTEMS = frozenset(("android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "solaris", "windows"))
_SAME = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "i386": "386",
    "i686": "386",
    "aarch64": "arm64",
    "armhf": "arm/v7",
    "armel": "arm/v6",
    "arm": "arm/v7",
    "arm64/v8": "arm64",
    "amd64/v1": "amd64",
}
_ARCHITECTURES = frozenset(
    ("386", "amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le", "riscv64", "s390x", "wasm")
)
_INTERPRETERS = {"386": "i386", "amd64": "x86_64", "arm": "arm", "arm64": "aarch64"}
_BINFMT = Path("/proc/sys/fs/binfmt_misc")


def parsed_platform(text: str) -> str:
    """A platform as it is written once spelled out: ``arm64`` is ``linux/arm64``, as is ``linux/aarch64/v8``.

    Raises:
        EngineError: there is no such platform.
    """
    first, *rest = text.lower().split("/")
    if not rest:
        if first in _SYSTEMS:
            return f"{first}/{host_platform().partition('/')[2]}"
        first, rest = "linux", [first]
    architecture, *variant = rest
    architecture = _SAME.get(architecture, architecture) if not variant else architecture
    architecture = "/".join((_SAME.get(architecture, architecture), *variant))
    architecture = _SAME.get(architecture, architecture)
    known = len(text.split("/")) > 1 or architecture.partition("/")[0] in _ARCHITECTURES
    if first not in _SYSTEMS or not known or len(variant) > 1:
        raise EngineError(f'"{text}": unknown operating system or architecture: invalid argument')
    return f"{first}/{architecture}"


def runs_here(platform: str) -> bool:
    """Whether this machine can run a platform's programs, by itself or by an emulator registered with it."""
    system, _, architecture = platform.partition("/")
    ours = host_platform().partition("/")[2].partition("/")[0]
    theirs = architecture.partition("/")[0]
    if system != "linux" or theirs == ours or (ours, theirs) == ("amd64", "386"):
        return system == "linux"
    return (_BINFMT / f"qemu-{_INTERPRETERS.get(theirs, theirs)}").exists()
