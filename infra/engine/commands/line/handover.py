"""Decides who serves: the Pulumi CLI, where it is found on PATH, or the embedded engine."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

FLAGS = ("--embedded", "--no-embedded")
MARK = b"infra.engine.cli"  # stands in every launcher of ours, whichever environment it is of
VARIABLE = "SHIPWAY_PULUMI"


# pylint: disable=duplicate-code  # as `dagger` does: ci and infra carry their own, neither imports the other
@dataclass(frozen=True, slots=True)
class Choice:
    """``program`` is the Pulumi CLI's, or None for the embedded engine; ``reason`` says why."""

    program: Path | None
    reason: str

    @property
    def line(self) -> str:
        """The line that tells the user."""
        chosen = f"handing over to {self.program}" if self.program else "serving from the embedded engine"
        return f"pulumi: {chosen} ({self.reason})"


class ChoiceError(Exception):
    """What the user asked for cannot be had."""


def asked(arguments: Sequence[str]) -> bool | None:
    """What the command line asks for.

    The last of ``--embedded`` and ``--no-embedded``, None without either.
    """
    own = [word for word in _before_dashes(arguments) if word in FLAGS]
    return own[-1] == "--embedded" if own else None


def without_own(arguments: Sequence[str]) -> list[str]:
    """The command line without the flags that are ours alone."""
    head = _before_dashes(arguments)
    return [*(word for word in head if word not in FLAGS), *arguments[len(head) :]]


def _before_dashes(arguments: Sequence[str]) -> Sequence[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def choose(embedded: bool | None, environ: Mapping[str, str] = os.environ) -> Choice:
    """Choose who serves. ``embedded`` is what was asked for on the command line, None for nothing.

    Raises:
        ChoiceError: the Pulumi CLI was asked for, and there is none; or the variable says something else.
    """
    why = "--embedded" if embedded else "--no-embedded"
    if embedded is None and (wish := environ.get(VARIABLE)):
        if wish not in {"embedded", "real"}:
            raise ChoiceError(f'{VARIABLE} is "{wish}"; it may be "embedded" or "real"')
        embedded, why = wish == "embedded", f"{VARIABLE}={wish}"
    if embedded:
        return Choice(None, why)
    program = next(real_programs(environ), None)
    if program is None:
        if embedded is False:
            raise ChoiceError(f"{why} asks for the real pulumi, but there is none on PATH")
        return Choice(None, "no other pulumi on PATH")
    return Choice(program, "found on PATH" if embedded is None else why)


def real_programs(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the executables called ``pulumi`` on PATH that are not ours, in order."""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder or ".", "pulumi")
        if os.access(path, os.X_OK) and path.is_file() and not _ours(path):
            yield path.absolute()


def hand_over(program: Path, arguments: Sequence[str]) -> NoReturn:
    """Become the real program."""
    os.execv(program, [str(program), *arguments])  # noqa: S606  # there is no shell, on purpose


def _ours(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return path.resolve() == Path(sys.argv[0]).resolve() or MARK in file.read(4096)
    return False
