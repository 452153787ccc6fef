"""Classic BPF programs over a system call, as the kernel's filters are (seccomp(2), bpf(4))."""

import struct
from collections.abc import Mapping, Sequence

Line = tuple[int, int, int, int]  # code, jump if true, jump if false, value
Block = list[Line]

_LOAD, _RETURN, _GO = 0x20, 0x06, 0x05
_EQUAL, _AT_LEAST, _ANY_OF = 0x15, 0x35, 0x45

NUMBER, ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_FURTHEST = 255  # lines that a conditional jump can skip

ALLOW = 0x7FFF0000


def refuse(errno: int) -> int:
    """The verdict that a call fails with an error; 0 has it succeed without being done."""
    return 0x00050000 | errno


def load(offset: int) -> Line:
    """Take up the word at an offset."""
    return (_LOAD, 0, 0, offset)


def load_argument(position: int) -> Line:
    """Take up the low half of an argument, counted from 0."""
    return load(_ARGUMENTS + 8 * position)


def verdict(value: int) -> Line:
    """End with a verdict."""
    return (_RETURN, 0, 0, value)


def if_equal(value: int, then: int, otherwise: int) -> Line:
    """Skip lines, by whether the word is ``value``."""
    return (_EQUAL, then, otherwise, value)


def if_any_of(bits: int, then: int, otherwise: int) -> Line:
    """Skip lines, by whether the word has any of these bits."""
    return (_ANY_OF, then, otherwise, bits)


def go(lines: int) -> Line:
    """Skip lines."""
    return (_GO, 0, 0, lines)


def by_number(special: Mapping[int, Block], last: int, beyond: Block) -> Block:
    """What to do by a call's number: its own block, that for all ``beyond`` the last, or allow it."""
    starts: list[tuple[int, Block]] = [(0, [verdict(ALLOW)])]
    for number, block in sorted(special.items()):
        if starts[-1][0] == number:
            starts.pop()
        if not starts or starts[-1][1] != block:
            starts.append((number, block))
        starts.append((number + 1, [verdict(ALLOW)]))
    while starts[-1][0] > last:
        starts.pop()
    return [load(NUMBER), *_choose([*starts, (last + 1, beyond)])]


def _choose(starts: Sequence[tuple[int, Block]]) -> Block:
    """Find by halving which block's range the number is in: each begins where it says, up to the next."""
    if len(starts) == 1:
        return starts[0][1]
    middle = len(starts) // 2
    below, above = _choose(starts[:middle]), _choose(starts[middle:])
    if len(below) <= _FURTHEST:
        return [(_AT_LEAST, len(below), 0, starts[middle][0]), *below, *above]
    return [(_AT_LEAST, 0, 1, starts[middle][0]), go(len(below)), *below, *above]


def assembled(lines: Block) -> bytes:
    """The program as the kernel takes it."""
    return b"".join(struct.pack("<HBBI", *line) for line in lines)
