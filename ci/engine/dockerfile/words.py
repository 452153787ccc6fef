"""Words of an instruction: split as a shell does, variables put in.

Source of the rules: the Dockerfile reference, "Environment replacement".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ci.engine.dockerfile.errors import DockerfileError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#]")


def split(text: str, escape: str = "\\") -> list[str]:
    """The words of ``text``, separated by blanks outside of quotes; quotes and escapes stay in them."""
    words: list[str] = []
    word, quote, at = "", "", 0
    while at < len(text):
        char = text[at]
        if char == escape and quote != "'":
            word += text[at : at + 2]
            at += 2
            continue
        if char in "'\"" and quote in {"", char}:
            quote = "" if quote else char
        if char.isspace() and not quote:
            words += [word] if word else []
            word = ""
        else:
            word += char
        at += 1
    return [*words, word] if word else words


def expanded(text: str, variables: Mapping[str, str], escape: str = "\\") -> str:
    """``text`` with ``$NAME``, ``${NAME}``, ``${NAME:-word}`` and ``${NAME:+word}`` put in, quotes removed.

    Raises:
        DockerfileError: a ``${`` is not closed, or asks for something else.
    """
    return _Expansion(text, variables, escape).run(lambda _char: False)


class _Expansion:
    """One text on its way from left to right."""

    def __init__(self, text: str, variables: Mapping[str, str], escape: str) -> None:
        self._text = text
        self._variables = variables
        self._escape = escape
        self._at = 0

    def run(self, ends: Callable[[str], bool]) -> str:
        """What the text comes to, up to a character outside of quotes that ``ends`` it."""
        found, quote = "", ""
        while self._at < len(self._text):
            char = self._text[self._at]
            if not quote and ends(char):
                break
            self._at += 1
            if char in "'\"" and quote in {"", char}:
                quote = "" if quote else char
            elif char == self._escape and quote != "'":
                found += self._escaped(quote)
            elif char == "$" and quote != "'":
                found += self._variable()
            else:
                found += char
        return found

    def _escaped(self, quote: str) -> str:
        following = self._text[self._at : self._at + 1]
        self._at += 1
        plain = not quote or following in {'"', "$", self._escape}
        return following if plain else self._escape + following

    def _variable(self) -> str:
        rest = self._text[self._at :]
        if not rest.startswith("{"):
            match = _NAME.match(rest)
            self._at += match.end() if match else 0
            return self._variables.get(match[0], "") if match else "$"
        match = _NAME.match(rest, 1)
        if not match:
            raise DockerfileError(f"{self._text}: bad substitution")
        self._at += match.end()
        value = self._variables.get(match[0])
        return self._operated(value)

    def _operated(self, value: str | None) -> str:
        operator = re.match(r":?[-+?]", self._text[self._at :])
        word = ""
        if operator:
            self._at += operator.end()
            word = self.run(lambda char: char == "}")
        if self._text[self._at : self._at + 1] != "}":
            raise DockerfileError(f"{self._text}: unsupported modifier in substitution")
        self._at += 1
        there = value is not None and (bool(value) or not (operator and operator[0].startswith(":")))
        if not operator:
            return value or ""
        if operator[0].endswith("+"):
            return word if there else ""
        if operator[0].endswith("?") and not there:
            raise DockerfileError(word or f"{self._text}: a variable is not set")
        return (value or "") if there else word
