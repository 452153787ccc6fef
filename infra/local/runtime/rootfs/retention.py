"""Which unpacked layers are still of use: those of the images that something stored may start again."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from infra.local.files import put

_NOTES = ".images"


def note(folder: Path, reference: str, layers: Sequence[Path]) -> None:
    """Remember of which of the layers in `folder` the image of that name is made. Raises OSError."""
    place = _place(folder, reference)
    place.parent.mkdir(exist_ok=True)
    put(place, json.dumps([layer.name for layer in layers]).encode())


def prune(folder: Path, references: Iterable[str]) -> None:
    """Remove the layers that none of these images is made of, and what a kill left of an unpacking.

    Only while nothing is unpacked or run. What can't be removed stays for the next time.
    """
    noted = [_place(folder, reference) for reference in references]
    kept = {name for place in noted for name in _read(place)}
    for each in folder.glob("*"):
        if each.name != _NOTES and each.name not in kept:
            shutil.rmtree(each, ignore_errors=True)
    for each in (folder / _NOTES).glob("*"):
        if each not in noted:
            with suppress(OSError):
                each.unlink()


def _place(folder: Path, reference: str) -> Path:
    return folder / _NOTES / hashlib.sha256(reference.encode()).hexdigest()


def _read(place: Path) -> list[str]:
    try:
        return [str(name) for name in json.loads(place.read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        return []
