"""A Dockerfile's text as instructions: line continuations, comments, flags, JSON forms and here-documents.

Source of the rules: the Dockerfile reference, sections "Format", "Parser directives", "Here-documents" and
"Shell and exec form".
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ci.engine.dockerfile.errors import DockerfileError

KNOWN = frozenset(
    (
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
        "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    )
)  # fmt: skip
#: Those that here-documents may follow.
_WITH_HEREDOCS = frozenset(("RUN", "COPY", "ADD"))
_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(\S+)\s*$")
_HEREDOC = re.compile(r"<<(-?)\s*(['\"]?)([A-Za-z_][\w.]*)\2")
_FLAG = re.compile(r"--([a-z-]+)(?:=((?:\"[^\"]*\"|\S)*))?(?:\s+|$)")


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A here-document: its name, its text, and whether variables in it are left as they are."""

    name: str
    text: str
    literal: bool


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; ``rest`` is what follows its flags, ``line`` where it begins (1 is the first)."""

    keyword: str
    rest: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[Heredoc, ...] = ()
    escape: str = "\\"

    def flag(self, name: str) -> str | None:
        """A flag's value, None when it is not given."""
        return dict(self.flags).get(name)

    @property
    def words_in_json(self) -> tuple[str, ...] | None:
        """The words of a JSON ("exec") form; None for the shell form."""
        if not self.rest.startswith("["):
            return None
        try:
            found = json.loads(self.rest)
        except ValueError:
            return None
        return tuple(found) if all(isinstance(word, str) for word in found) else None

    def error(self, message: str) -> DockerfileError:
        """An error about this instruction."""
        return DockerfileError(message, self.line)


def read(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile.

    Raises:
        DockerfileError: one is unknown or has no arguments, or a here-document has no end.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    escape = _escape(lines)
    found = list(_instructions(lines, escape))
    if not found:
        raise DockerfileError("file with no instructions")
    return found


def parsed(line: str, number: int, escape: str = "\\") -> Instruction:
    """One instruction on a line of its own, as ONBUILD has it."""
    keyword, _, rest = line.strip().partition(" ")
    keyword, rest = keyword.upper(), rest.strip()
    if keyword not in KNOWN:
        near = difflib.get_close_matches(keyword, sorted(KNOWN), 1, 0.5)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise DockerfileError(f"unknown instruction: {keyword}{hint}", number)
    flags = []
    while keyword not in {"ENV", "LABEL", "CMD", "ENTRYPOINT"} and (match := _FLAG.match(rest)):
        flags.append((match[1], (match[2] or "").strip('"')))
        rest = rest[match.end() :]
    if not rest and keyword not in {"CMD", "ENTRYPOINT"}:
        raise DockerfileError(f"{keyword} requires at least one argument", number)
    return Instruction(keyword, rest, number, tuple(flags), escape=escape)


def _escape(lines: list[str]) -> str:
    for line in lines:
        directive = _DIRECTIVE.match(line)
        if not directive:
            break
        if directive[1].lower() == "escape":
            return directive[2]
    return "\\"


def _instructions(lines: list[str], escape: str) -> Iterator[Instruction]:
    at = 0
    while at < len(lines):
        first, joined = at, ""
        while at < len(lines):
            line = lines[at]
            at += 1
            if line.lstrip().startswith("#") or (joined and not line.strip()):
                continue  # comments and blank lines within an instruction are left out
            joined += line if joined else line.lstrip()
            if not joined.rstrip().endswith(escape):
                break
            joined = joined.rstrip()[: -len(escape)]
        if not joined.strip():
            continue
        made = parsed(joined, first + 1, escape)
        heredocs = []
        if made.keyword in _WITH_HEREDOCS and made.words_in_json is None:
            for match in _HEREDOC.finditer(made.rest):
                text, at = _heredoc(lines, at, match[3], strip=bool(match[1]), line=first + 1)
                heredocs.append(Heredoc(match[3], text, bool(match[2])))
        yield Instruction(made.keyword, made.rest, made.line, made.flags, tuple(heredocs), escape)


def _heredoc(lines: list[str], at: int, name: str, *, strip: bool, line: int) -> tuple[str, int]:
    text = ""
    while at < len(lines):
        taken = lines[at].lstrip("\t") if strip else lines[at]
        at += 1
        if taken == name:
            return text, at
        text += taken + "\n"
    raise DockerfileError(f"unterminated heredoc {name}", line)
