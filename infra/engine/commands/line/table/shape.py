"""What a command of the command line is."""

from __future__ import annotations

from dataclasses import dataclass

from infra.engine.commands.line.flags import Flag


@dataclass(frozen=True, slots=True)
class Command:
    """A command: ``most`` arguments at most (None: any number); ``function`` is ``module.name``."""

    name: str
    help: str
    function: str
    flags: tuple[Flag, ...] = ()
    arguments: str = ""
    least: int = 0
    most: int | None = 0
