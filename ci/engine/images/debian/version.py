"""Order of Debian versions (deb-version(7))."""

import functools
import operator
import re

_PARTS = re.compile(r"(\D*)(\d*)")
_COMPARE = {"<<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">>": operator.gt}


@functools.lru_cache(maxsize=4096)
def key(version: str) -> tuple[object, ...]:
    """A key that sorts versions as dpkg does."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, "0"
    return int(epoch), _part(upstream), _part(revision)


def _part(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    # Alternating runs of non-digits, compared character by character, and digits, compared as numbers.
    runs = [(letters, digits) for letters, digits in _PARTS.findall(text) if letters or digits]
    return (*((_letters(letters), int(digits or 0)) for letters, digits in runs), (_letters(""), 0))


def _letters(text: str) -> tuple[int, ...]:
    # "~" sorts before the end of the run, which sorts before letters, which sort before the rest.
    return (*(-1 if char == "~" else ord(char) if char.isalpha() else ord(char) + 256 for char in text), 0)


def satisfies(version: str, relation: str, wanted: str) -> bool:
    """Whether `version` is in the `relation` ("<<", "<=", "=", ">=", ">>") to `wanted`."""
    return bool(_COMPARE[relation](key(version), key(wanted)))
