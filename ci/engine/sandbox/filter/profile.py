"""Which system calls a step may make: what a container of Docker's may.

Every step gets a program, for it is also the gate that holds the step back: bwrap refuses to go on without
one, so an engine that dies before handing it over leaves nothing running.
"""

import errno
import platform
from collections.abc import Callable, Iterator
from functools import cache

from ci.engine.sandbox.filter import calls
from ci.engine.sandbox.filter.bpf import (
    ALLOW,
    ARCHITECTURE,
    Block,
    Line,
    assembled,
    by_number,
    go,
    if_any_of,
    if_equal,
    load,
    load_argument,
    refuse,
    verdict,
)

_X86_64, _I386, _AARCH64 = range(3)  # positions in calls.Numbers
#: For each machine: the AUDIT_ARCH constants of what it runs, and where their numbers are. What is not here
#: (the 32-bit mode of aarch64) is refused, or it would be a way around the filter.
_MACHINES = {
    "x86_64": ((0xC000003E, _X86_64), (0x40000003, _I386)),
    "aarch64": ((0xC00000B7, _AARCH64),),
}

_NAMESPACES = 0x7E020000  # the CLONE_NEW* bits of clone(2)
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)  # Linux, UNAME26, both, and only asking
_AF_ALG, _AF_VSOCK = 38, 40
_SAME = 0xFFFFFFFF  # an id of -1 leaves the owner as it is

_DENY, _UNKNOWN, _PRETEND = refuse(errno.EPERM), refuse(errno.ENOSYS), refuse(0)

ALLOW_ALL = assembled([verdict(ALLOW)])


@cache
def confined(*, pretend: bool, machine: str = "") -> bytes:
    """The program for an ordinary step.

    With ``pretend`` a change of owner that the user namespace has no user for succeeds without being done:
    with one user mapped the kernel refuses any owner but 0, and unpacking an archive or installing a package
    as root would fail; like this the file stays root's. (Charliecloud builds images in the same way.)
    """
    return _program(machine, lambda which: {**_denied(which), **(_owners(which) if pretend else {})})


@cache
def pretending(machine: str = "") -> bytes:
    """The program that only pretends, for a step with every capability of one user's."""
    return _program(machine, _owners, strict=False)


def _program(machine: str, special: Callable[[int], dict[int, Block]], *, strict: bool = True) -> bytes:
    known = _MACHINES.get(machine or platform.machine())
    if known is None:
        return ALLOW_ALL
    lines = [load(ARCHITECTURE)]
    for constant, which in known:
        beyond = [verdict(_UNKNOWN if strict else ALLOW)]
        section = by_number(special(which), calls.LAST, beyond)
        lines += [if_equal(constant, 1, 0), go(len(section)), *section]
    return assembled([*lines, verdict(_DENY if strict else ALLOW)])


def _denied(which: int) -> dict[int, Block]:
    blocks: dict[int, Block] = {
        number: [verdict(_DENY)]
        for numbers in calls.DENIED.values()
        if (number := numbers[which]) is not None
    }
    allow, deny = verdict(ALLOW), verdict(_DENY)
    blocks |= {
        number: block
        for numbers, block in (
            (calls.CLONE, [load_argument(0), if_any_of(_NAMESPACES, 1, 0), allow, deny]),
            # Its arguments are in memory, where no filter looks; without it the C library takes clone.
            (calls.CLONE3, [verdict(_UNKNOWN)]),
            (calls.PERSONALITY, [load_argument(0), *_one_of(_PERSONALITIES), deny, allow]),
            (calls.SOCKET, [load_argument(0), *_one_of((_AF_ALG, _AF_VSOCK)), allow, deny]),
        )
        if (number := numbers[which]) is not None
    }
    return blocks


def _one_of(values: tuple[int, ...]) -> Iterator[Line]:
    """Skip the line that follows if the word is one of these."""
    for left in range(len(values), 0, -1):
        yield if_equal(values[-left], left, 0)


def _owners(which: int) -> dict[int, Block]:
    blocks: dict[int, Block] = {}
    for numbers, position in calls.OWNERS.values():
        number = numbers[which]
        if number is not None:
            # Both ids 0 or -1: let the kernel do it. Otherwise the last line, which pretends.
            blocks[number] = [
                load_argument(position),
                if_equal(0, 1, 0),
                if_equal(_SAME, 0, 4),
                load_argument(position + 1),
                if_equal(0, 1, 0),
                if_equal(_SAME, 0, 1),
                verdict(ALLOW),
                verdict(_PRETEND),
            ]
    return blocks
