"""The program's interpreter, started ahead of its runs: it loads the SDK while the engine gets ready."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from infra.engine.deploy.contract import Program
from infra.engine.deploy.errors import DeploymentError
from infra.engine.protocol.program.python import Interpreter

_ENTRY = Path(__file__).with_name("entry.py")
_LARGEST_ANSWER = 4096


class Launcher:
    """Runs one program, any number of times one after the other; see entry.py for what is said to it.

    ``again``: a preview is going to be followed by an update. Raises DeploymentError for a program or an
    environment that isn't there.
    """

    def __init__(self, program: Program, again: bool = False) -> None:
        self.again = again
        self.root = program.root
        self.folder, self.entry = _place(program)
        interpreter = Interpreter.of(program)
        self._channel, theirs = socket.socketpair()
        self._rest, self._heard = b"", 0
        self._said = TemporaryFile()  # noqa: SIM115 # pylint: disable=consider-using-with # closed by close()
        number = theirs.fileno()
        with theirs:
            try:
                self._process = subprocess.Popen(  # pylint: disable=consider-using-with # ended by close()
                    [*interpreter.command, "-u", str(_ENTRY), str(number)],
                    cwd=self.folder,
                    env=interpreter.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=self._said,
                    stderr=self._said,
                    pass_fds=[number],
                    start_new_session=True,
                )
            except OSError as error:
                self._said.close()
                self._channel.close()
                raise DeploymentError(f"could not start {interpreter.command[0]}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def start(
        self, words: Sequence[str], environment: Mapping[str, str], output: Sequence[int], again: bool
    ) -> int | None:
        """Have the program run, and answer its process's id: None if the interpreter did not come up.

        ``output`` are the descriptors for its standard output and error.
        """
        order = {"arguments": list(words), "environment": dict(environment), "again": again}
        try:
            socket.send_fds(self._channel, [json.dumps(order).encode() + b"\n"], output)
        except OSError:
            return None
        return await self._answer("pid")

    async def ended(self) -> int:
        """The exit code of the run, once it has ended; that of the interpreter if it took the run with it."""
        code = await self._answer("code")
        return self._process.wait() if code is None else code

    async def _answer(self, name: str) -> int | None:
        import anyio  # late: what comes before it is on every update's way, and slow enough

        while b"\n" not in self._rest:
            await anyio.wait_readable(self._channel)
            try:
                part = self._channel.recv(_LARGEST_ANSWER)
            except ConnectionError:
                part = b""
            if not part:
                return None
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        answer: int = json.loads(line)[name]
        return answer

    def said(self) -> str:
        """What the interpreter itself has printed since this was last asked."""
        end = os.fstat(self._said.fileno()).st_size
        # By position: the interpreter writes with the same offset.
        text = os.pread(self._said.fileno(), end - self._heard, self._heard)
        self._heard += len(text)
        return text.decode(errors="replace")

    def close(self) -> None:
        """End the interpreter."""
        self._channel.close()
        self._process.kill()
        self._process.wait()
        self._said.close()


def _place(program: Program) -> tuple[Path, str]:
    """The folder that a program runs in, and the path in it that is run. Raises DeploymentError."""
    if not program.main:
        return program.root, "."
    main = program.root / program.main
    if not main.exists():
        raise DeploymentError(f"project 'main' could not be read: stat {main}: no such file or directory")
    return (main, ".") if main.is_dir() else (main.parent, main.name)
