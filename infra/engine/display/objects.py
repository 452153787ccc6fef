"""Properties and their differences as indented text, laid out as Pulumi's ``--diff`` is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infra.engine.display.operations import look, painted

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_MISSING = object()
_MARK = "@isPulumiResource"
"""What the SDK adds, in a preview alone, to an output that is a resource."""


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints at one indentation. With ``signed`` a line starts with the operation's sign."""

    indent: int
    op: str = "same"
    signed: bool = False
    planning: bool = False
    summary: bool = False
    color: bool = False

    def line(self, text: str) -> str:
        """The start of a line, with the operation's sign where it is signed."""
        space = "    " * self.indent
        start = space[:-2] + look(self.op).sign if self.signed and space else space
        return self._paint(start + text)

    def _paint(self, text: str) -> str:
        return painted(text, look(self.op).color, color=self.color)

    def _as(self, op: str) -> Printer:
        return replace(self, op=op, signed=op != "same")

    def object(self, properties: Mapping[str, Any]) -> str:
        """All properties, each on a line of its own; Pulumi's own (``__...``) are left out."""
        return self.padded(properties, widest(properties))

    def padded(self, properties: Mapping[str, Any], width: int) -> str:
        """Like ``object``, the names padded to ``width``."""
        return "".join(
            self._property(key, properties[key], width)
            for key in sorted(properties)
            if not key.startswith("__") and key != _MARK and is_worth_showing(properties[key])
        )

    def _property(self, key: str, value: Any, width: int) -> str:
        return self.line(f"{key:<{width}}: ") + self.value(value) + "\n"

    def value(self, value: Any) -> str:
        """A value, over several lines if there is something in it."""
        if isinstance(value, dict) and value:
            body = replace(self, indent=self.indent + 1).object(value)
            return f"{{\n{body}{'    ' * self.indent}}}"
        if isinstance(value, list) and value:
            inner = replace(self, indent=self.indent + 1)
            items = "".join(
                f"{self.line(f'    [{place}]: ')}{inner.value(item)}\n" for place, item in enumerate(value)
            )
            return f"[\n{items}{'    ' * self.indent}]"
        return self._paint(primitive(value))

    def difference(
        self, old: Mapping[str, Any], new: Mapping[str, Any], include: Iterable[str] | None = None
    ) -> str:
        """What changes from ``old`` to ``new``, and (unless summing up) what stays."""
        keys = [key for key in sorted({*old, *new} - {_MARK}) if not key.startswith("__")]
        if include is not None:
            wanted = set(include)
            keys = [key for key in keys if key in wanted]
        return self._changes(keys, old, new, widest(keys))

    def padded_difference(self, old: Mapping[str, Any], new: Mapping[str, Any], width: int) -> str:
        """Like ``difference``, the names padded to ``width``."""
        return self._changes(
            [key for key in sorted({*old, *new}) if not key.startswith("__")], old, new, width
        )

    def _changes(
        self, keys: Iterable[str], old: Mapping[str, Any], new: Mapping[str, Any], width: int
    ) -> str:
        return "".join(
            self.change(f"{key:<{width}}: ", old.get(key, _MISSING), new.get(key, _MISSING)) for key in keys
        )

    def change(self, title: str, old: Any, new: Any, inside: int = 0) -> str:
        """One property's line, or lines; what is inside the value stands ``inside`` levels further in."""
        if is_same(old, new):
            if self.summary or not is_worth_showing(new):
                return ""
            return self._single("same", title, new, inside)
        if old is _MISSING or old is None:
            return self._single("create", title, new, inside)
        if new is _MISSING or new is None:
            return self._single("delete", title, old, inside)
        if isinstance(old, dict | list) or isinstance(new, dict | list):
            return self._change_inside(title, old, new, inside)
        update, before, after = self._as("update"), self._as("delete"), self._as("create")
        return f"{update.line(title)}{before.value(old)} => {after.value(new)}\n"

    def _change_inside(self, title: str, old: Any, new: Any, inside: int) -> str:
        head = self._as("update").line(title)
        deep = replace(self, indent=self.indent + inside)
        end = "    " * deep.indent
        if isinstance(old, dict) and isinstance(new, dict):
            return f"{head}{{\n{replace(deep, indent=deep.indent + 1).difference(old, new)}{end}}}\n"
        if isinstance(old, list) and isinstance(new, list):
            return f"{head}[\n{deep.items(old, new)}{end}]\n"
        return self._single("delete", title, old, inside) + self._single("create", title, new, inside)

    def items(self, old: Sequence[Any], new: Sequence[Any]) -> str:
        """How a list changes, place by place."""
        inner = replace(self, indent=self.indent + 1)
        return "".join(
            inner.change(
                f"[{place}]: ",
                old[place] if place < len(old) else _MISSING,
                new[place] if place < len(new) else _MISSING,
                inside=1,
            )
            for place in range(max(len(old), len(new)))
        )

    def _single(self, op: str, title: str, value: Any, inside: int = 0) -> str:
        if not is_worth_showing(value):
            return ""
        printer = self._as(op)
        return f"{printer.line(title)}{replace(printer, indent=self.indent + inside).value(value)}\n"


def widest(names: Iterable[str]) -> int:
    """The length of the longest of ``names``."""
    return max((len(name) for name in names if name != _MARK), default=0)


def is_same(old: Any, new: Any) -> bool:
    """Whether two values are the same: a missing one is like null, and true is not 1."""
    if old is _MISSING or new is _MISSING:
        return old in (_MISSING, None) and new in (_MISSING, None)
    if isinstance(old, dict) and isinstance(new, dict):
        return all(is_same(old.get(k, _MISSING), new.get(k, _MISSING)) for k in {*old, *new} - {_MARK})
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(is_same(a, b) for a, b in zip(old, new, strict=True))
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


def is_worth_showing(value: Any) -> bool:
    """Whether a property is shown: null, and what is empty, only clutters."""
    return value is not _MISSING and value is not None and value not in ("", [], {})


def primitive(value: Any) -> str:
    """A value that is no list and no map."""
    text = f"{value:g}" if isinstance(value, float) and len(repr(value)) > 17 else str(value)
    match value:
        case None:
            text = "<null>"
        case bool():
            text = "true" if value else "false"
        case "[secret]":
            text = "[secret]"
        case str() if value == UNKNOWN:
            text = "[unknown]"
        case str():
            text = json.dumps(value, ensure_ascii=False)
        case float() if value.is_integer():
            text = str(int(value))
        case dict():
            text = "{}"
        case list():
            text = "[]"
    return text
