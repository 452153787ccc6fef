"""The limits of a container: a share of the host, unless the environment says otherwise."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ci.engine.sandbox.errors import SandboxError

MEMORY, PROCESSES = "SHIPWAY_STEP_MEMORY", "SHIPWAY_STEP_PROCESSES"

_SHARE = 0.9  # of the host's memory
_EACH_CPU, _LEAST = 256, 4096  # processes
_HALF = 2  # of the threads that the kernel allows on the whole host
_SIZE = re.compile(r"(\d+)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_NONE = {"max", "none", "unlimited"}


class BadLimit(SandboxError):
    """A limit in the environment that makes no sense."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``memory`` in bytes, ``processes`` with their threads; None is no limit."""

    memory: int | None
    processes: int | None


#: No limits at all.
UNLIMITED = Limits(None, None)


def limits(environ: Mapping[str, str] = os.environ) -> Limits:
    """The limits of each container, by the environment and the host.

    Raises:
        BadLimit: a variable is not a size, or not a number.
    """
    return Limits(
        _read(environ, MEMORY, _host_memory, "a size like 4g or 512m"),
        _read(environ, PROCESSES, _host_processes, "a number"),
    )


def _read(environ: Mapping[str, str], name: str, default: Callable[[], int], wanted: str) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return default()
    if text.lower() in _NONE:
        return None
    found = _SIZE.fullmatch(text)
    if found is None or not int(found[1]) or (name == PROCESSES and found[2]):
        raise BadLimit(f"{name} is {text!r}: give it {wanted}, or max for no limit")
    return int(found[1]) * _UNITS[found[2].lower()]


def _host_memory() -> int:
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _SHARE)


def _host_processes() -> int:
    wanted = max(_LEAST, _EACH_CPU * (os.cpu_count() or 1))
    try:
        most = int(Path("/proc/sys/kernel/threads-max").read_text(encoding="ascii")) // _HALF
    except (OSError, ValueError):
        return wanted
    return min(wanted, most)
