"""The help of a command: what it is for, how it is used, its subcommands and flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ci.engine.commands.arguments.flags import Flag
from ci.engine.commands.arguments.usage import columns, flag_usages, view_width
from ci.engine.commands.shown.style import bold

_NARROWEST = 11  # of the column with the names of commands


@dataclass(frozen=True, slots=True)
class Help:
    """What there is to tell; ``groups`` are subcommands and flags by titles, in the order they are shown."""

    text: str
    path: str
    usage: str
    aliases: Sequence[str] = ()
    example: str = ""
    experimental: bool = False
    commands: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()
    flags: Sequence[tuple[str, Sequence[Flag]]] = ()

    def render(self, width: int | None = None) -> str:
        """As it is printed."""
        columns_ = view_width() if width is None else width
        parts = [self.text.rstrip()] if self.text.strip() else []
        parts.append(f"{_title('Usage')}\n  {self.usage}")
        if self.aliases:
            parts.append(f"{_title('Aliases')}\n  {', '.join(self.aliases)}")
        if self.experimental:
            told = f"{self.path} is currently under development and may change in the future."
            parts.append(f"{_title('Experimental')}\n  {told}")
        if self.example:
            indented = "\n".join(f"  {line}" for line in self.example.split("\n"))
            parts.append(f"{_title('Examples')}\n{indented}")
        for title, rows in self.commands:
            parts.append(f"{_title(title)}\n{columns(rows, columns_, _NARROWEST)}".rstrip("\n"))
        for title, flags in self.flags:
            entries = flag_usages(flags, columns_)
            if entries:
                parts.append(f"{_title(title)}\n{entries}".rstrip())
        if self.commands:
            parts.append(f'Use "{self.path} [command] --help" for more information about a command.')
        return "\n\n".join(parts) + "\n"


def _title(text: str) -> str:
    return bold(text.upper())
