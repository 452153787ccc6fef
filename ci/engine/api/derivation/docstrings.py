"""Reads descriptions back out of the numpy-style docstrings of the SDK's generated client."""

import inspect
import re
from functools import cached_property

SECTION = re.compile(r"^(Note|Parameters|Returns|Raises|Example|Examples)\n-{3,}\n", re.MULTILINE)
PARAMETER = re.compile(r"^(\w+):\n", re.MULTILINE)


def dedented(text: str | None) -> str:
    """Return a docstring without its indentation; empty for none."""
    return inspect.cleandoc(text or "")


class Docstring:
    """A method's docstring: a summary, then sections."""

    def __init__(self, text: str) -> None:
        self._summary, *rest = SECTION.split(dedented(text))
        self._sections = dict(zip(rest[::2], rest[1::2], strict=True))

    @property
    def summary(self) -> str:
        """The text before the first section."""
        return self._summary.strip()

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Each parameter's description by its Python name."""
        _, *rest = PARAMETER.split(self._sections.get("Parameters", ""))
        return {name: dedented("\n" + text).strip() for name, text in zip(rest[::2], rest[1::2], strict=True)}
