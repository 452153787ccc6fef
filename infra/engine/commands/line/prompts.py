"""Questions to whoever sits at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from infra.engine.commands.errors import ExitError

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation

Choice = TypeVar("Choice")

NO_ANSWER = 8


def read_line() -> str:
    """A line that the user typed; empty at the end of input, and when the terminal is gone."""
    try:
        return sys.stdin.readline()
    except OSError:
        return ""


def ask(question: str, default: str = "") -> str:
    """Have the user type an answer."""
    print(f"{question}{f' ({default})' if default else ''}: ", end="", flush=True)
    return read_line().strip() or default


def pick(question: str, choices: Mapping[str, Choice]) -> Choice:
    """Have the user choose by number or by name. Raises ExitError at the end of input."""
    print(question)
    names = list(choices)
    for number, name in enumerate(names, 1):
        print(f"  {number}. {name}")
    while True:
        print("> ", end="", flush=True)
        line = read_line()
        if not line:
            raise ExitError("no choice was made", NO_ANSWER)
        word = line.strip()
        if word.isdecimal() and 1 <= int(word) <= len(names):
            return choices[names[int(word) - 1]]
        if word in choices:
            return choices[word]


def confirmed(call: Invocation, question: str) -> bool:
    """Whether the user says yes, now or with ``--yes``. Raises ExitError where nobody can be asked."""
    if call.flags["yes"]:
        return True
    if not call.interactive:
        raise ExitError("--yes must be passed in to proceed when running in non-interactive mode")
    return pick(question, {"yes": True, "no": False})
