"""The filter programs, run on made-up system calls by a few lines that do what the kernel does."""

import struct

import pytest

from ci.engine.sandbox import seccomp

ALLOWED, PRETENDED = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, and an error number of 0
X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
NOBODY_IN_PARTICULAR = 0xFFFFFFFF


def verdict(program: bytes, machine: int, number: int, *arguments: int) -> int:
    data = struct.pack("<iIQ6Q", number, machine, 0, *arguments, *[0] * (6 - len(arguments)))
    lines = [struct.unpack_from("<HBBI", program, at) for at in range(0, len(program), 8)]
    at, register = 0, 0
    while True:
        code, then, otherwise, value = lines[at]
        at += 1
        match code:
            case 0x20:  # load a word
                register = struct.unpack_from("<I", data, value)[0]
            case 0x15:  # jump if equal
                at += then if register == value else otherwise
            case 0x06:  # return
                return value
            case _:
                raise AssertionError(code)


@pytest.fixture(params=[("x86_64", X86_64, 92, 1), ("x86_64", X86_64, 260, 2), ("aarch64", AARCH64, 54, 2)])
def chown(request, monkeypatch):
    """The verdict on a chown of the machine's, by owner."""
    machine, constant, number, position = request.param
    monkeypatch.setattr("platform.machine", lambda: machine)
    program = seccomp.pretend_ownership()
    return lambda uid, gid: verdict(program, constant, number, *[7] * position, uid, gid)


@pytest.mark.parametrize("uid", [0, NOBODY_IN_PARTICULAR])
@pytest.mark.parametrize("gid", [0, NOBODY_IN_PARTICULAR])
def test_owners_that_exist_are_left_to_the_kernel(chown, uid, gid):
    assert chown(uid, gid) == ALLOWED


@pytest.mark.parametrize(("uid", "gid"), [(1, 0), (0, 1), (100, 100), (NOBODY_IN_PARTICULAR, 5), (5, 0)])
def test_other_owners_are_pretended(chown, uid, gid):
    assert chown(uid, gid) == PRETENDED


def test_other_calls_and_other_architectures_pass(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    program = seccomp.pretend_ownership()
    assert verdict(program, X86_64, 1, 5, 5, 5) == ALLOWED
    assert verdict(program, I386, 92, 5, 5, 5) == ALLOWED


def test_an_unknown_machine_pretends_nothing(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert verdict(seccomp.pretend_ownership(), X86_64, 92, 5, 5, 5) == ALLOWED
