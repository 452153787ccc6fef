"""What a flag's value may be: how it is read from the command line, and how its default is shown in help."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ci.engine.commands.arguments.quoting import joined_list, quoted, split_list

Reader = Callable[[str], Any]

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    ``name`` is what help calls it ("" for none). ``read`` makes the value of what was typed, and raises
    ValueError. ``show`` writes a default; defaults in ``unsaid`` are not told. A ``several`` kind reads a
    list each time, and lists add up. ``absent`` is what stands for a flag that is given without a value.
    """

    name: str
    read: Reader
    show: Callable[[Any], str] = str
    unsaid: frozenset[str] = frozenset({"", "0", "false"})
    several: bool = False
    absent: str | None = None


def _integer(text: str) -> int:
    if re.fullmatch(r"[+-]?0[0-7_]+", text):
        return _parsed(text, "ParseInt", 8)
    return _parsed(text, "ParseInt", 0)


def _listed_integer(text: str) -> int:
    return _parsed(text, "Atoi", 10)


def _parsed(text: str, function: str, base: int) -> int:
    try:
        found = int(text, base) if text == text.strip() else None
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"strconv.{function}: parsing {quoted(text)}: invalid syntax")
    if found not in _INT64:
        raise ValueError(f"strconv.{function}: parsing {quoted(text)}: value out of range")
    return found


def _number(text: str) -> float:
    try:
        return float(text.replace(" ", "?"))
    except ValueError:
        raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax") from None


def _switch(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"strconv.ParseBool: parsing {quoted(text)}: invalid syntax")


def _shown_number(value: float) -> str:
    whole = math.isfinite(value) and value == int(value) and abs(value) < 1e21
    return str(int(value)) if whole else repr(value)


def _counted(text: str) -> list[int]:
    return [1] * (1 if text == "+1" else _integer(text))


def _bare(text: str) -> list[str]:
    """The items of a list in which quotes of any sort mean nothing."""
    return [each.strip() for each in split_list("".join(c for c in text if c not in "\"'`"))]


def _shown_list(items: Sequence[Any]) -> str:
    return f"[{','.join(str(item) for item in items)}]"


TEXT = Kind("string", str, unsaid=frozenset({""}))
INTEGER = Kind("int", _integer)
NUMBER = Kind("float", _number, _shown_number)
SWITCH = Kind("", _switch, lambda value: "true" if value else "false", absent="true")
COUNT = Kind("count", _counted, several=True, absent="+1")
TEXTS = Kind("strings", split_list, lambda items: f"[{joined_list(items)}]", frozenset({"[]"}), several=True)
INTEGERS = Kind(
    "ints",
    lambda text: [_listed_integer(each) for each in text.split(",")],
    _shown_list,
    frozenset({"[]"}),
    several=True,
)
NUMBERS = Kind(
    "float64Slice",
    lambda text: [_number(each) for each in text.split(",")],
    lambda items: f"[{','.join(f'{item:f}' for item in items)}]",
    several=True,
)
SWITCHES = Kind(
    "bools",
    lambda text: [_switch(each) for each in _bare(text)],
    lambda items: _shown_list(["true" if item else "false" for item in items]),
    several=True,
)


def made(name: str, make: Reader) -> Kind:
    """A kind of its own: ``make`` makes the value of the text that was given."""
    return Kind(name, make)


def several(kind: Kind) -> Kind:
    """A list of values of a kind of its own."""
    return Kind(
        f"[]{kind.name}",
        lambda text: [kind.read(each) for each in _bare(text)],
        lambda items: f"[{joined_list(kind.show(item) for item in items)}]",
        frozenset({""}),
        several=True,
    )
