"""Decides who serves: another ``dagger`` program that has an engine to talk to, or this one."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

MARK = b"ci.engine.cli"  # stands in every launcher of ours, whichever environment it is of
RUNTIMES = ("docker", "podman", "nerdctl", "container")
RUNTIME_SECONDS = 3.0
VARIABLE = "SHIPWAY_DAGGER"


@dataclass(frozen=True, slots=True)
class Choice:
    """``program`` is the real Dagger's, or None for the embedded engine; ``reason`` says why."""

    program: Path | None
    reason: str

    @property
    def line(self) -> str:
        """The line that tells the user."""
        chosen = f"handing over to {self.program}" if self.program else "serving from the embedded engine"
        return f"dagger: {chosen} ({self.reason})"


class ChoiceError(Exception):
    """What the user asked for cannot be had."""


def choose(embedded: bool | None, environ: Mapping[str, str] = os.environ) -> Choice:
    """Choose who serves. ``embedded`` is what was asked for on the command line, None for nothing.

    Raises:
        ChoiceError: the real program was asked for, and there is none; or the variable says something else.
    """
    why = "--embedded" if embedded else "--no-embedded"
    if embedded is None and (asked := environ.get(VARIABLE)):
        if asked not in {"embedded", "real"}:
            raise ChoiceError(f'{VARIABLE} is "{asked}"; it may be "embedded" or "real"')
        embedded, why = asked == "embedded", f"{VARIABLE}={asked}"
    if embedded:
        return Choice(None, why)
    program = next(real_programs(environ), None)
    if embedded is False:
        if program is None:
            raise ChoiceError(f"{why} asks for the real dagger, but there is none on PATH")
        return Choice(program, why)
    if program is None:
        return Choice(None, "no other dagger on PATH")
    engine = reachable_engine(environ)
    if engine is None:
        return Choice(None, f"{program} has no engine: no container runtime answers")
    return Choice(program, f"engine: {engine}")


def real_programs(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the executables called ``dagger`` on PATH that are not ours, in order."""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder or ".", "dagger")
        if os.access(path, os.X_OK) and path.is_file() and not _ours(path):
            yield path.absolute()


def reachable_engine(environ: Mapping[str, str]) -> str | None:
    """Return what the real Dagger would run its engine on; None if it has nothing."""
    if host := environ.get("_EXPERIMENTAL_DAGGER_RUNNER_HOST"):
        return host
    for runtime in RUNTIMES:
        if (found := shutil.which(runtime, path=environ.get("PATH"))) and _answers(found, environ):
            return runtime
    return None


def hand_over(program: Path, arguments: Sequence[str]) -> NoReturn:
    """Become the real program."""
    os.execv(program, [str(program), *arguments])  # noqa: S606  # there is no shell, on purpose


def _ours(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return path.resolve() == Path(sys.argv[0]).resolve() or MARK in file.read(4096)
    return False


def _answers(runtime: str, environ: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(
            [runtime, "version"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=RUNTIME_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
