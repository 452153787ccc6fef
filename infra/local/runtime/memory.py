"""Holding a container to its memory limit, by looking at what its processes and its files have.

A control group would do this in the kernel, but belongs to whoever runs this program's session; looking needs
no right at all.
"""

import os
from collections.abc import Callable, Iterator
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


async def exceeded(pid: int, limit: int, files: Callable[[], int]) -> int:
    """Wait until the processes below `pid`, and its files, have more than `limit` bytes; return how many.

    `files` says how many bytes of memory files take.
    """
    while True:
        used = _most(pid) + files()
        if used > limit:
            used = in_use(pid, files())  # what processes share was counted for each of them
            if used > limit:
                return used
        await anyio.sleep(min(max((limit - used) / _RATE, _SHORTEST), _LONGEST))


def _most(pid: int) -> int:
    """Quickly, a bound on the bytes of memory of a process and all below it that no file backs."""
    total = 0
    for each in _tree(pid):
        with suppress(OSError, IndexError, ValueError):
            total += int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    return total


def in_use(pid: int, files: int) -> int:
    """The bytes of memory of a process and all below it, and of `files` bytes of files in memory.

    Pages that processes share count in parts (proc_pid_smaps(5)). Those of the image's files do not count:
    the kernel can drop them. Those of files in memory that processes have mapped are not counted twice.
    """
    alone = shared = 0
    for each in _tree(pid):
        with suppress(OSError):
            rows = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
            sizes = {
                name: int(size.split()[0]) << 10 for name, _, size in (row.partition(":") for row in rows)
            }
            alone += sizes.get("Pss_Anon", 0)
            shared += sizes.get("Pss_Shmem", 0)
    return alone + max(shared, files)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text(encoding="ascii")
            for child in children.split():
                yield from _tree(int(child))
