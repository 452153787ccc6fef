"""System call filters, as the classic BPF programs that the kernel runs (seccomp(2), bpf(4)).

Every step gets one, for it is also the gate that holds the step back: bwrap refuses to go on without a
program, so an engine that dies before handing it over leaves nothing running.
"""

import platform
import struct

_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_SAME = 0xFFFFFFFF  # an id of -1 leaves the owner as it is

# For each machine: its AUDIT_ARCH constant, and {system call: position of the uid in its arguments} of
# chown, fchown, lchown and fchownat; the gid comes next.
_MACHINES = {
    "x86_64": (0xC000003E, {92: 1, 93: 1, 94: 1, 260: 2}),
    "aarch64": (0xC00000B7, {55: 1, 54: 2}),
}

ALLOW_ALL = struct.pack("<HBBI", _RETURN, 0, 0, _ALLOW)


def pretend_ownership() -> bytes:
    """A program that answers success to a change of owner that the user namespace has no user for.

    With one user mapped the kernel refuses any owner but 0, and unpacking an archive or installing a package
    as root would fail; like this the file stays root's. (Charliecloud builds images in the same way.)
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return ALLOW_ALL
    architecture, calls = machine
    lines = [_load(_ARCHITECTURE), _jump(architecture, 1, 0), _return(_ALLOW)]
    for number, position in calls.items():
        # Both ids 0 or -1: let the kernel do it. Otherwise jump to the last line, which pretends.
        owner = [
            _load(_ARGUMENTS + 8 * position),
            _jump(0, 1, 0),
            _jump(_SAME, 0, 4),
            _load(_ARGUMENTS + 8 * (position + 1)),
            _jump(0, 1, 0),
            _jump(_SAME, 0, 1),
            _return(_ALLOW),
            _return(_ERRNO),
        ]
        lines += [_load(_NUMBER), _jump(number, 0, len(owner)), *owner]
    return b"".join([*lines, _return(_ALLOW)])


def _load(offset: int) -> bytes:
    return struct.pack("<HBBI", _LOAD, 0, 0, offset)


def _jump(value: int, then: int, otherwise: int) -> bytes:
    return struct.pack("<HBBI", _JUMP_EQUAL, then, otherwise, value)


def _return(value: int) -> bytes:
    return struct.pack("<HBBI", _RETURN, 0, 0, value)
