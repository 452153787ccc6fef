"""Where in a response a field is: as a chain from the field outwards, which costs nothing to extend."""

from typing import TypeAlias

Path: TypeAlias = "tuple[Path, str | int] | None"
Keys: TypeAlias = tuple[str | int, ...]


def keys(path: Path) -> Keys:
    """Return a path from the outermost field inwards, as GraphQL writes it."""
    found: list[str | int] = []
    while path is not None:
        path, key = path
        found.append(key)
    return tuple(reversed(found))
