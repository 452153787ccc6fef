"""User namespaces in which a step runs as a user other than root, and still sees who owns what."""

import json
import os
import signal
import subprocess
from pathlib import Path

from ci.engine.sandbox.errors import SandboxError
from ci.engine.sandbox.host import id_map, program

_namespaces: dict[int, int] = {}


def namespace(uid: int) -> int:
    """A descriptor of a user namespace that has every id of the engine's, and belongs to ``uid``.

    bwrap started as ``uid`` has all capabilities in it to set the container up, and the step none. The
    namespace is made once a process for each user (about 5 ms) and ends with it.

    Raises:
        SandboxError: it can't be made.
    """
    if uid not in _namespaces:
        _namespaces[uid] = _create(uid)
    return _namespaces[uid]


def _create(uid: int) -> int:
    """Have bwrap, as ``uid``, make a namespace and wait for its maps; write them, keep it, end bwrap."""
    bwrap = program()
    wait, go_on = os.pipe()
    told, tell = os.pipe()
    options = ["--unshare-user", "--userns-block-fd", str(wait), "--info-fd", str(tell)]
    child = 0
    try:
        process = subprocess.Popen(
            [bwrap.name, *options, "--bind", "/", "/", "true"],
            cwd=bwrap.directory,
            env=bwrap.environment,
            user=uid,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(wait, tell),
        )
    finally:
        os.close(wait)
        os.close(tell)
    with process, os.fdopen(told) as information:
        try:
            child = json.load(information)["child-pid"]
            folder = Path("/proc", str(child))
            for kind in ("uid", "gid"):
                (folder / f"{kind}_map").write_text(id_map(kind), encoding="ascii")
            return os.open(folder / "ns/user", os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            assert process.stderr is not None  # noqa: S101  PIPE was asked for
            os.close(go_on)
            go_on = -1
            said = process.stderr.read().decode(errors="replace").strip()
            msg = f"sandbox: cannot make a user namespace for user {uid}: {said or error}; run the step as root"
            raise SandboxError(msg) from error
        finally:
            if child:
                os.kill(child, signal.SIGKILL)
            if go_on != -1:
                os.close(go_on)
