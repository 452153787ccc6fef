"""The filter programs, run on made-up system calls by a few lines that do what the kernel does."""

import errno
import struct

import pytest

from ci.engine.sandbox import filter as filters

ALLOWED, ERROR = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
DENIED, UNKNOWN, PRETENDED = ERROR | errno.EPERM, ERROR | errno.ENOSYS, ERROR
X86_64, AARCH64, I386, ARM = 0xC000003E, 0xC00000B7, 0x40000003, 0x40000028
NOBODY_IN_PARTICULAR = 0xFFFFFFFF
NEWUSER, NEWNS, THREAD = 0x10000000, 0x00020000, 0x003D0F00
CLONE = {X86_64: 56, I386: 120, AARCH64: 220}
SOCKET = {X86_64: 41, I386: 359, AARCH64: 198}
PERSONALITY = {X86_64: 135, I386: 136, AARCH64: 92}
MACHINES = {X86_64: "x86_64", I386: "x86_64", AARCH64: "aarch64"}


def verdict(program: bytes, machine: int, number: int, *arguments: int) -> int:
    data = struct.pack("<IIQ6Q", number, machine, 0, *arguments, *[0] * (6 - len(arguments)))
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
            case 0x35:  # jump if at least
                at += then if register >= value else otherwise
            case 0x45:  # jump if any of these bits
                at += then if register & value else otherwise
            case 0x05:  # jump
                at += value
            case 0x06:  # return
                return value
            case _:
                raise AssertionError(code)


def asked(machine: int, number: int, *arguments: int, pretend: bool = False) -> int:
    program = filters.confined(pretend=pretend, machine=MACHINES.get(machine, "x86_64"))
    return verdict(program, machine, number, *arguments)


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        # mount, unshare, bpf, kexec_load, keyctl, setns, io_uring_setup
        (X86_64, (165, 272, 321, 246, 250, 308, 425)),
        (I386, (21, 310, 357, 283, 288, 346, 425)),
        (AARCH64, (40, 97, 280, 104, 219, 268, 425)),
    ],
)
def test_what_dockers_profile_denies_is_not_permitted(machine, numbers):
    assert {number: asked(machine, number) for number in numbers} == dict.fromkeys(numbers, DENIED)


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        # read, execve, ptrace, chroot, setuid, arch_prctl, restart_syscall, statx, futex_waitv, mseal
        (X86_64, (0, 59, 101, 161, 105, 158, 219, 332, 449, 462)),
        (I386, (3, 11, 26, 61, 213, 102, 0, 383, 449, 462)),
        (AARCH64, (63, 221, 117, 51, 146, 128, 291, 449, 462)),
    ],
)
def test_what_ordinary_programs_need_is_allowed(machine, numbers):
    assert {number: asked(machine, number) for number in numbers} == dict.fromkeys(numbers, ALLOWED)


@pytest.mark.parametrize("machine", MACHINES)
def test_threads_and_children_are_made_and_namespaces_are_not(machine):
    assert asked(machine, CLONE[machine], THREAD) == ALLOWED
    assert asked(machine, CLONE[machine], 17) == ALLOWED
    assert asked(machine, CLONE[machine], NEWUSER | 17) == DENIED
    assert asked(machine, CLONE[machine], NEWNS) == DENIED


@pytest.mark.parametrize("machine", MACHINES)
def test_clone3_does_not_exist_so_that_the_c_library_takes_clone(machine):
    assert asked(machine, 435) == UNKNOWN


@pytest.mark.parametrize("machine", MACHINES)
def test_sockets_are_of_every_family_but_two(machine):
    families = {
        family: asked(machine, SOCKET[machine], family) for family in (1, 2, 10, 16, 17, 38, 39, 40, 41)
    }
    assert [family for family, said in families.items() if said != ALLOWED] == [38, 40]


@pytest.mark.parametrize("machine", MACHINES)
def test_a_program_may_only_ask_for_linuxs_own_personality(machine):
    said = [
        asked(machine, PERSONALITY[machine], one) for one in (0, 8, 0x20000, 0x20008, 0xFFFFFFFF, 0x40000)
    ]
    assert said == [ALLOWED] * 5 + [DENIED]


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_newer_than_the_profile_do_not_exist(machine):
    assert asked(machine, 470) == UNKNOWN
    assert asked(machine, 0x40000000 + 59) == UNKNOWN  # x86's third mode


def test_another_machines_calls_are_no_way_around():
    assert asked(ARM, 3) == DENIED


@pytest.fixture(params=[(X86_64, 92, 1), (X86_64, 260, 2), (I386, 212, 1), (AARCH64, 54, 2)])
def chown(request):
    """The verdict on a chown of a machine's, by owner."""
    machine, number, position = request.param
    return lambda uid, gid: asked(machine, number, *[7] * position, uid, gid, pretend=True)


@pytest.mark.parametrize("uid", [0, NOBODY_IN_PARTICULAR])
@pytest.mark.parametrize("gid", [0, NOBODY_IN_PARTICULAR])
def test_owners_that_exist_are_left_to_the_kernel(chown, uid, gid):
    assert chown(uid, gid) == ALLOWED


@pytest.mark.parametrize(("uid", "gid"), [(1, 0), (0, 1), (100, 100), (NOBODY_IN_PARTICULAR, 5), (5, 0)])
def test_other_owners_are_pretended(chown, uid, gid):
    assert chown(uid, gid) == PRETENDED


def test_the_filter_stays_when_owners_are_pretended():
    assert asked(X86_64, 165, pretend=True) == DENIED


def test_a_step_with_every_capability_has_no_filter_but_pretends():
    program = filters.pretending("x86_64")
    assert verdict(program, X86_64, 165) == ALLOWED
    assert verdict(program, X86_64, 470) == ALLOWED
    assert verdict(program, ARM, 3) == ALLOWED
    assert verdict(program, X86_64, 92, 7, 5, 5) == PRETENDED


def test_an_unknown_machine_is_not_filtered():
    assert verdict(filters.confined(pretend=True, machine="riscv64"), X86_64, 165) == ALLOWED


def test_no_jump_leads_out_of_a_program_and_the_kernel_would_take_it():
    for machine in ("x86_64", "aarch64"):
        program = filters.confined(pretend=True, machine=machine)
        lines = [struct.unpack_from("<HBBI", program, at) for at in range(0, len(program), 8)]
        assert len(lines) <= 4096  # BPF_MAXINSNS
        for at, (code, then, otherwise, value) in enumerate(lines):
            if code & 0x07 == 0x05:
                furthest = value if code == 0x05 else max(then, otherwise)
                assert at + 1 + furthest < len(lines)
