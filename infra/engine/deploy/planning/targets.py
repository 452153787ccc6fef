"""Which resources an operation is confined to.

URNs, or globs of them (``*`` within a part, ``**`` across).
"""

from __future__ import annotations

import re
from collections.abc import Iterable


class Targets:
    """A set of URNs; with nothing asked for it is unconstrained, and holds every URN."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self.literals: list[str] = []
        self._globs: list[re.Pattern[str]] = []
        for pattern in patterns:
            if "*" in pattern:
                self._globs.append(_compile(pattern))
            else:
                self.literals.append(pattern)
        self._urns = set(self.literals)

    @property
    def constrained(self) -> bool:
        """Whether anything was asked for."""
        return bool(self._urns or self._globs)

    def __contains__(self, urn: object) -> bool:
        if not self.constrained:
            return True
        return urn in self._urns or any(glob.fullmatch(str(urn)) for glob in self._globs)

    def add(self, urn: str) -> None:
        """Take one more URN in; nothing happens to a set without constraint."""
        if self.constrained:
            self._urns.add(urn)

    def copy(self) -> Targets:
        """A set that can be added to without changing this one."""
        twin = Targets()
        twin.literals, twin._urns, twin._globs = list(self.literals), set(self._urns), list(self._globs)
        return twin


def _compile(glob: str) -> re.Pattern[str]:
    across = ("[^:]*".join(re.escape(part) for part in segment.split("*")) for segment in glob.split("**"))
    return re.compile(".*".join(across))
