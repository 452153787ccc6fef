"""Running a step as a user other than root, who still sees who owns what.

bwrap needs capabilities to set a container up and the step must have none of them. Both hold in a user
namespace that belongs to the step's user and maps every id to itself; but whoever owns such a namespace and
sits directly above it may enter it and pass for root on every file. So it lies inside another one, which
belongs to root: no process of that user outside the sandbox is directly above it.
"""

import json
import os
import shutil
import signal
import subprocess
from functools import cache

from ci.engine.sandbox.errors import SandboxError, SandboxUnavailable
from ci.engine.sandbox.host import id_map, program


def become(uid: int, gid: int, groups: tuple[int, ...] = ()) -> list[str]:
    """What to put before a command, run by root, to run it as a user inside root's own user namespace."""
    chosen = ",".join(str(group) for group in groups)
    return [
        *_enter(),
        _tool("setpriv"),
        *("--reuid", str(uid), "--regid", str(gid)),
        *(("--groups", chosen) if groups else ("--clear-groups",)),
        "--",
    ]


@cache
def namespace(uid: int) -> int:
    """A descriptor of the namespace that belongs to ``uid``; bwrap, started by become(), can join it.

    It is made once a process for each user (about 20 ms) and ends with the process.

    Raises:
        SandboxError: it can't be made.
    """
    return _create(become(uid, 0), _enter(), f"user {uid}")


@cache
def _outer() -> int:
    return _create([], [], "root")


def _enter() -> list[str]:
    # By the engine's own descriptor, so that no step inherits one.
    where = f"--user=/proc/{os.getpid()}/fd/{_outer()}"
    return [_tool("nsenter"), where, "--preserve-credentials", "--"]


@cache
def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        msg = (
            f"sandbox: a step runs as a user other than root, which takes {name}, and it is not on PATH; "
            "install util-linux, or run the step as root"
        )
        raise SandboxUnavailable(msg)
    return found


def _create(user: list[str], mapper: list[str], whose: str) -> int:
    """Have bwrap, started through ``user``, make a namespace and wait for its maps; write them and keep it.

    The maps are written through ``mapper``: only a process right above the namespace may.
    """
    bwrap = program()
    wait, go_on = os.pipe()
    told, tell = os.pipe()
    options = ["--unshare-user", "--userns-block-fd", str(wait), "--info-fd", str(tell), "--bind", "/", "/"]
    child = 0
    try:
        process = subprocess.Popen(
            [*user, bwrap.name, *options, "true"],
            cwd=bwrap.directory,
            env=bwrap.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(wait, tell),
        )
    finally:
        os.close(wait)
        os.close(tell)
    with process, os.fdopen(told) as information:
        try:
            child = json.load(information)["child-pid"]
            for kind in ("uid", "gid"):
                subprocess.run(
                    [*mapper, "tee", f"/proc/{child}/{kind}_map"],
                    input=id_map(kind).encode(),
                    check=True,
                    capture_output=True,
                )
            return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            msg = f"sandbox: cannot make a user namespace for {whose}: {error}; run the step as root"
            raise SandboxError(msg) from error
        finally:
            if child:
                os.kill(child, signal.SIGKILL)
            os.close(go_on)
