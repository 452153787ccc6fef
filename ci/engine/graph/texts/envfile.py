"""Environment files: ``NAME=value`` lines whose values are words as a shell reads them.

Source of the rules: POSIX "Shell Command Language", sections 2.2 (quoting) and 2.6.2 (parameter
expansion). Commands are not run: a value that asks for one is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ci.engine.errors import EngineError
from ci.engine.graph.fingerprint import Digested

Lookup = Callable[[str], str]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPORT = re.compile(r"export\s+")
_SHELL = re.compile(r"""[`"'\\]|\$[A-Za-z_{(]""")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


@dataclass(frozen=True)
class EnvFile(Digested):
    """The lines, in order; ``context`` has more of them, which values may refer to and nobody sees."""

    lines: tuple[tuple[str, str], ...] = ()
    context: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> EnvFile:
        """Read a file's text; a later line of the same name takes the earlier one's place."""
        found = cls()
        for line in text.split("\n"):
            if line.strip():
                name, _, value = _EXPORT.sub("", line.strip(), count=1).partition("=")
                found = found.having(name, value)
        return found

    def having(self, name: str, value: str) -> EnvFile:
        """With a variable set."""
        if any(known == name for known, _ in self.lines):
            changed = ((known, value if known == name else old) for known, old in self.lines)
            return replace(self, lines=tuple(changed))
        return replace(self, lines=(*self.lines, (name, value)))

    def lacking(self, name: str) -> EnvFile:
        """Without a variable."""
        return replace(self, lines=tuple(line for line in self.lines if line[0] != name))

    def namespace(self, prefix: str) -> EnvFile:
        """The variables whose names begin with a prefix, in whatever case, without it."""
        mine: list[tuple[str, str]] = []
        others = list(self.context)
        for name, value in sorted(dict(self.lines).items()):
            lead = next((lead for lead in _leads(prefix) if name.lower().startswith(lead.lower())), None)
            (others if lead is None else mine).append((name[len(lead or "") :], value))
        return EnvFile(tuple(mine), tuple(others))

    def text(self) -> str:
        """The file's text.

        Raises:
            EngineError: a value can't be read.
        """
        for name, raw in self.lines:
            try:
                _Reader(raw, lambda known: known).words()
            except _Unreadable as error:
                raise error.told(name, raw) from None
        return "".join(f"{name}={value}\n" for name, value in self.lines)

    def value(self, name: str, outside: Lookup) -> str:
        """A variable's value once quotes are removed and what it refers to is put in.

        Raises:
            EngineError: it refers to something that is not set, or can't be read.
        """
        return _Evaluation({**dict(self.context), **dict(self.lines)}, outside).value(name)


def _leads(prefix: str) -> Iterable[str]:
    words = [word.lower() for word in _WORDS.findall(prefix)]
    yield "".join(words[:1] + [word.capitalize() for word in words[1:]]) + "_"
    yield "_".join(words) + "_"


class _Evaluation:
    """One look-up, with the variables that are being looked up along the way."""

    def __init__(self, raw: dict[str, str], outside: Lookup) -> None:
        self._raw = raw
        self._outside = outside
        self._under_way: list[str] = []

    def value(self, name: str) -> str:
        """The value of a variable of the file."""
        if name in self._under_way:
            way = " -> ".join([*self._under_way, name])
            raise EngineError(f"circular dependency detected: {way}")
        raw = self._raw[name]
        if _NAME.fullmatch(name) and not _SHELL.search(raw):
            return raw.strip()
        if any(char.isspace() for char in name) and not name.startswith("#"):
            raise EngineError(f"parse error: {_quoted(name, raw)}: not a bare assignment")
        self._under_way.append(name)
        try:
            return " ".join(_Reader(raw, self.of).words())
        except _Unreadable as error:
            raise error.told(name, raw) from None
        except EngineError as error:
            raise EngineError(f"{name}: {error.message}") from None
        finally:
            self._under_way.pop()

    def of(self, name: str) -> str:
        """What a reference to a name stands for, "" for nothing."""
        if name in self._raw and name != self._under_way[-1]:
            return self.value(name)
        return " \t\n" if name == "IFS" else self._outside(name)


def _quoted(name: str, raw: str) -> str:
    return json.dumps(f"{name}={raw}", ensure_ascii=False)


class _Unreadable(Exception):
    """A value is no shell's word: at which character, and what is wrong there."""

    def __init__(self, at: int, what: str, *, command: bool = False) -> None:
        super().__init__(what)
        self._at = at
        self._what = what
        self._command = command

    def told(self, name: str, raw: str) -> EngineError:
        """As Dagger tells it, which reads the whole line."""
        place = f"1:{len(name) + 2 + self._at}"
        if self._command:
            return EngineError(f"{name}: {self._what} at {place}")
        return EngineError(f"parse error: {_quoted(name, raw)}: {place}: {self._what}")


def _command(at: int) -> _Unreadable:
    return _Unreadable(at, "unexpected command substitution", command=True)


class _Reader:
    """Reads the words of one value."""

    def __init__(self, text: str, lookup: Lookup) -> None:
        self._text = text
        self._at = 0
        self._lookup = lookup

    def words(self) -> list[str]:
        """All of them, quotes removed."""
        words: list[str] = []
        word: str | None = None
        while self._at < len(self._text):
            char = self._text[self._at]
            if char.isspace() or (char == "#" and word is None):
                words += [] if word is None else [word]
                word = None
                self._at = len(self._text) if char == "#" else self._at + 1
                continue
            if char == "`":
                raise _command(self._at)
            if char in "&;|<>()":
                raise _Unreadable(self._at, f"quote the `{char}`")
            word = word or ""
            if char == "$":
                first, *rest = self._dollar().split() or [""]
                for piece in rest:
                    words.append(word + first)
                    word, first = "", piece
                word += first
            else:
                word += self._piece(char)
        return words if word is None else [*words, word]

    def _piece(self, char: str) -> str:
        self._at += 1
        if char == "'":
            return self._until("'")
        if char == '"':
            return self._double()
        if char == "\\":
            self._at += 1
            return self._text[self._at - 1 : self._at].replace("\n", "")
        return char

    def _until(self, quote: str) -> str:
        end = self._text.find(quote, self._at)
        if end < 0:
            raise _Unreadable(self._at - 1, f"reached EOF without closing quote `{quote}`")
        start, self._at = self._at, end + 1
        return self._text[start:end]

    def _double(self) -> str:
        found, start = "", self._at - 1
        while (char := self._text[self._at : self._at + 1]) != '"':
            if not char:
                raise _Unreadable(start, 'reached EOF without closing quote `"`')
            if char == "$":
                found += self._dollar()
            elif char == "`":
                raise _command(self._at)
            elif char == "\\" and self._text[self._at + 1 : self._at + 2] in {"$", "`", '"', "\\"}:
                found += self._text[self._at + 1]
                self._at += 2
            else:
                found += char
                self._at += 1
        self._at += 1
        return found

    def _dollar(self) -> str:
        """What a ``$`` and what belongs to it stand for."""
        rest = self._text[self._at + 1 :]
        if rest.startswith("("):
            raise _command(self._at)
        if rest.startswith("{"):
            return self._braced()
        match = _NAME.match(rest)
        self._at += 1 + (match.end() if match else 0)
        return self._set(match[0]) if match else "$"

    def _braced(self) -> str:
        start = self._at + 2
        depth, end = 1, start
        while depth:
            if end >= len(self._text):
                raise _Unreadable(self._at, "reached EOF without matching `${` with `}`")
            depth += {"{": 1, "}": -1}.get(self._text[end], 0)
            end += 1
        inner, self._at = self._text[start : end - 1], end
        match = _NAME.match(inner)
        if not match:
            raise _Unreadable(start - 2, "invalid parameter name")
        return self._operated(match[0], inner[match.end() :])

    def _operated(self, name: str, operation: str) -> str:
        operator = operation.removeprefix(":")[:1]
        word = operation.removeprefix(":")[1:]
        if not operation:
            return self._set(name)
        value = self._lookup(name)
        if operator == "-":
            return value or " ".join(_Reader(word, self._lookup).words())
        if operator == "+":
            return " ".join(_Reader(word, self._lookup).words()) if value else ""
        if operator == "?" and value:
            return value
        if operator == "?":
            raise EngineError(f"{name}: {word or 'parameter is not set'}")
        raise EngineError(f"parse error: ${{{name}{operation}}} is not served")

    def _set(self, name: str) -> str:
        value = self._lookup(name)
        if not value:
            raise EngineError(f"{name}: unbound variable")
        return value
