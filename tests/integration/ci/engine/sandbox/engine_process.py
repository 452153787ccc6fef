"""A process that enters the sandbox and runs what it is sent: pickled Specs in, pickled outcomes out."""

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio

from ci.engine import sandbox


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a container ended, and what the engine still has mounted then."""

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    error: sandbox.SandboxError | None
    longest_chunk: int
    mounts_left: int


def _mounts() -> int:
    return len(Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines())


async def _run(spec: sandbox.Spec) -> Outcome:
    stdout: list[bytes] = []
    stderr: list[bytes] = []
    before = _mounts()
    code, failure = None, None
    try:
        code = await sandbox.run(spec, stdout.append, stderr.append)
    except sandbox.SandboxError as error:
        failure = error
    longest = max(map(len, stdout + stderr), default=0)
    return Outcome(code, b"".join(stdout), b"".join(stderr), failure, longest, _mounts() - before)


def main() -> None:
    pickle.dump(sandbox.enter(), sys.stdout.buffer)
    sys.stdout.buffer.flush()
    while True:
        try:
            spec = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(anyio.run(_run, spec), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.modules["engine_process"] = sys.modules["__main__"]
    Outcome.__module__ = "engine_process"
    main()
