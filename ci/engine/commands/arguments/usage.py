"""Help for flags: one entry each, aligned, wrapped to the terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable

from ci.engine.commands.arguments.flags import Flag
from ci.engine.commands.arguments.quoting import quoted

_SLOP = 5  # a last line may be longer by this, so that no short word stands alone
_NARROWEST = 24
_BLOCK_INDENT = 16


def view_width() -> int:
    """How many columns help may have."""
    if sys.stdout.isatty():
        return shutil.get_terminal_size((80, 24)).columns - 1
    return 79


def flag_usages(flags: Iterable[Flag], width: int) -> str:
    """The entries of flags, those that are required first."""
    ordered = sorted(
        (flag for flag in flags if not flag.hidden), key=lambda flag: (not flag.required, flag.name)
    )
    entries = [(_head(flag), _told(flag)) for flag in ordered]
    column = max((len(head) for head, _ in entries), default=0) + 1
    lines = [f"{head.ljust(column)}  {_wrapped(column + 2, width, told)}" for head, told in entries]
    return "".join(f"{line}\n" for line in lines)


def _head(flag: Flag) -> str:
    start = f"  -{flag.short}, --{flag.name}" if flag.short else f"      --{flag.name}"
    name = _unquoted(flag)[0]
    text = f"{start} {name}" if name else start
    if flag.absent is not None:
        text += f"[={quoted(flag.absent)}]" if flag.kind.name == "string" else f"[={flag.absent}]"
    return text


def _told(flag: Flag) -> str:
    text = _unquoted(flag)[1]
    if flag.required:
        text = f"{text} [required]".strip()
    if flag.default is None:
        return text
    default = flag.kind.show(flag.default) if not isinstance(flag.default, str) else flag.default
    if str(default) in flag.kind.unsaid:
        return text
    return f"{text} (default {quoted(default) if flag.kind.name == 'string' else default})"


def _unquoted(flag: Flag) -> tuple[str, str]:
    """What help calls the value, and the text: a word in back quotes is the value's name."""
    before, tick, rest = flag.usage.partition("`")
    name, closing, after = rest.partition("`")
    if tick and closing:
        return name, f"{before}{name}{after}"
    return flag.kind.name, flag.usage


def _wrapped(indent: int, width: int, text: str) -> str:
    """Wrap a text into the columns between ``indent`` and ``width``; the caller places its first line."""
    start = ""
    room = width - indent
    if room < _NARROWEST:
        indent = _BLOCK_INDENT
        room = width - indent
        start = "\n" + " " * indent
    if room < _NARROWEST:
        return text.replace("\n", start)
    margin = "\n" + " " * indent
    lines: list[str] = []
    rest = text
    while rest or not lines:
        line, rest = _line(rest, room - _SLOP)
        lines.append(line.replace("\n", margin))
    return start + margin.join(lines)


def _line(text: str, room: int) -> tuple[str, str]:
    if room + _SLOP > len(text.encode()):
        return text, ""
    start = text.encode()[:room].decode(errors="ignore")
    last = max(start.rfind(" "), start.rfind("\t"), start.rfind("\n"))
    if last <= 0:
        return text, ""
    newline = start.rfind("\n")
    cut = newline if 0 < newline < last else last
    return text[:cut], text[cut + 1 :]


def columns(rows: Iterable[tuple[str, str]], width: int, narrowest: int) -> str:
    """Names and what they are, in two columns; ``narrowest`` is the least width of the first."""
    known = list(rows)
    padding = max([narrowest, *(len(name) for name, _ in known)])
    return "".join(f"{_row(name, told, padding, width)}\n" for name, told in known)


def _row(name: str, told: str, padding: int, width: int) -> str:
    head = f"  {name.ljust(padding)}   "
    if len(head) + len(told) < width:
        return head + told
    lines = [
        wrapped
        for line in told.split("\n")
        for wrapped in textwrap.wrap(line, max(width - len(head), 1), break_long_words=False) or [""]
    ]
    return head + ("\n" + " " * len(head)).join(lines).lstrip()
