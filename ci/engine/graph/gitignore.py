"""Which paths .gitignore files leave out, nested ones included (git's documentation, "gitignore")."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ci.engine.store.patterns import BadPattern, compile_pattern


@dataclass(frozen=True)
class _Rule:
    base: str  # the folder of the file the rule is from, "" or ending in "/"
    pattern: str
    negated: bool
    directories: bool
    anchored: bool

    def matches(self, path: str, *, is_directory: bool) -> bool:
        if not path.startswith(self.base) or (self.directories and not is_directory):
            return False
        inner = path[len(self.base) :]
        if not self.anchored:
            inner = inner.rsplit("/", 1)[-1]
        return compile_pattern(self.pattern).match(inner) is not None


def _rules(text: str, base: str) -> list[_Rule]:
    rules = []
    for line in text.splitlines():
        pattern = line.rstrip() if not line.endswith("\\ ") else line
        if not pattern or pattern.startswith("#"):
            continue
        negated = pattern.startswith("!")
        pattern = pattern[1:] if negated else pattern
        directories = pattern.endswith("/")
        pattern = pattern.rstrip("/")
        anchored = "/" in pattern
        try:
            compile_pattern(pattern.lstrip("/"))
        except BadPattern:
            continue
        rules.append(_Rule(base, pattern.lstrip("/"), negated, directories, anchored))
    return rules


@dataclass(frozen=True)
class Ignores:
    """The rules in force in a folder, in order; the last one that matches decides."""

    rules: tuple[_Rule, ...] = ()

    def adding(self, text: str, prefix: str) -> Ignores:
        """With the rules of a .gitignore file that lies in the folder ``prefix`` ("" or ending in "/")."""
        return Ignores((*self.rules, *_rules(text, prefix)))

    def entering(self, folder: Path, prefix: str) -> Ignores:
        """The rules in force once ``folder``'s own .gitignore is read."""
        try:
            text = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return self
        return self.adding(text, prefix)

    def ignored(self, path: str, *, is_directory: bool) -> bool:
        """Whether a path is left out."""
        decided = False
        for rule in self.rules:
            if rule.negated == decided and rule.matches(path, is_directory=is_directory):
                decided = not rule.negated
        return decided
