"""A process that outlives an update which is killed, to fold its journal into the checkpoint at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from infra.engine.state.reference import Reference

_DONE = b"."


class Watcher:
    """The process; it notices that this one is gone by the end of a pipe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @classmethod
    def start(cls, root: Path, stack: Reference) -> Watcher:
        """Watch over the journal of ``stack``, in a session of its own: Ctrl-C is not for it."""
        source = Path(__file__).parents[3]
        start = "import sys; sys.path.insert(0, sys.argv[1])"
        code = f"{start}; from infra.engine.state.watch import main; main(*sys.argv[2:])"
        process = subprocess.Popen(  # pylint: disable=consider-using-with  # it outlives this call
            [sys.executable, "-I", "-c", code, str(source), str(root), stack.project, stack.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        return cls(process)

    def stop(self) -> None:
        """Nothing is left to watch over."""
        self._process.communicate(_DONE)


def main(root: str, project: str, name: str) -> None:
    """Wait for the other end of standard input to close.

    Unless told that all is done, fold the journal in.
    """
    if sys.stdin.buffer.read() != _DONE:
        fold(Path(root), Reference(project, name))


def fold(root: Path, stack: Reference) -> None:
    """Fold a journal that was left behind into its checkpoint, the one as durable as the other."""
    from infra.engine.state.backend import Backend

    backend = Backend(f"file://{root}", {"PULUMI_DIY_BACKEND_IGNORE_DEPRECATION_ERROR": "1"})
    journal = backend.journal_path(stack)
    if journal.exists():
        backend.write(stack, backend.read(stack))
        journal.unlink(missing_ok=True)
