"""Holding a container to its memory limit, by looking at what its processes have.

A control group would do this in the kernel, but belongs to whoever runs this program's session; looking needs
no right at all.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import anyio

#: The fastest that a container is taken to fill memory, in bytes a second, and the pauses between looks, in
#: seconds: the nearer the limit, the shorter.
_RATE = 2 << 30
_SHORTEST, _LONGEST = 0.02, 0.5
_PAGE = os.sysconf("SC_PAGE_SIZE")


def message(limit: int, used: int) -> str:
    """What Cloud Run's log says of it; both in bytes."""
    return (
        f"Memory limit of {limit >> 20} MiB exceeded with {used >> 20} MiB used. Consider increasing the "
        "memory limit, see https://cloud.google.com/run/docs/configuring/memory-limits"
    )


async def exceeded(pid: int, limit: int) -> int:
    """Wait until the processes below `pid` have more than `limit` bytes, and return how many they have."""
    while True:
        used = resident(pid)
        if used > limit:
            used = proportional(pid)  # pages that processes share were counted for each of them
            if used > limit:
                return used
        await anyio.sleep(min(max((limit - used) / _RATE, _SHORTEST), _LONGEST))


def resident(pid: int) -> int:
    """The bytes in memory of a process and all below it; shared ones count for each."""
    total = 0
    for each in _tree(pid):
        with suppress(OSError, IndexError, ValueError):
            total += int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    return total


def proportional(pid: int) -> int:
    """The bytes in memory of a process and all below it; shared ones count in parts."""
    total = 0
    for each in _tree(pid):
        with suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) << 10
    return total


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text(encoding="ascii")
            for child in children.split():
                yield from _tree(int(child))
