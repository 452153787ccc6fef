"""The names that images have here: a file each in the state folder, with the digest of the image."""

import os
from collections.abc import Iterator
from pathlib import Path

_FOLDER = "images"
_OTHERS = {".lock", ".new"}


def folder(state: Path) -> Path:
    """Where the names are."""
    return state / _FOLDER


def files(state: Path) -> Iterator[Path]:
    """The names' files, sorted."""
    for file in sorted(folder(state).rglob("*")):
        if file.is_file() and file.suffix not in _OTHERS:
            yield file


def keep(file: Path, digest: str) -> None:
    """Give an image a name: whoever reads it meanwhile has the image of before, also beside other writers."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.urandom(4).hex()}.new")
    try:
        fresh.write_text(f"{digest}\n", encoding="ascii")
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
