"""Debian's control format: stanzas of "Field: value" lines (deb822(5))."""

import re
from collections.abc import Iterator

_FIELD = re.compile(r"^([!-9;-~]+):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)


def stanza(text: str) -> dict[str, str]:
    """The fields of one stanza, in order; the lines of a long value stay separated by newlines."""
    return {name: value.strip() for name, value in _FIELD.findall(text)}


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """The stanzas of a file; lines that start with # are comments."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for block in re.split(r"\n[ \t]*\n", lines):
        if fields := stanza(block):
            yield fields


def words(value: str) -> tuple[str, ...]:
    """A value that is a list of words separated by white space."""
    return tuple(value.split())
