"""A LICENSE file for a new module, where there is none around it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ci.engine.commands.modules.asking import ModuleError

_TEXTS = Path("/usr/share/common-licenses")  # where Debian has them
_FILE = re.compile(
    r"(?i:COPYING|(MIT[-_])?LICEN[CS]E|UNLICEN[CS]E)"
    r"(-2\.0|-APACHE|-APACHE-2\.0|-MIT|\.MIT|\.code|\.docs)?(\.md|\.markdown|\.txt|\.rst)?"
)


def add(folder: Path, name: str, *, look_around: bool) -> bool:
    """Write the LICENSE of a SPDX identifier; ``look_around``: not where there is a license already.

    Returns whether one was written.

    Raises:
        ModuleError: the text of the license is not on this host.
    """
    if look_around and any(_found(each) for each in _up_to_repository(folder)):
        return False
    text = _text(name)
    if text is None:
        if not look_around:
            raise ModuleError(f'failed to get license "{name}": its text is not in {_TEXTS}')
        return False
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "LICENSE").write_text(text, encoding="utf-8")
    return True


def _text(name: str) -> str | None:
    if Path(name).name != name:
        return None
    spellings = (name, name.removesuffix("-only").removesuffix("-or-later").removesuffix(".0"))
    for spelling in spellings:
        path = _TEXTS / spelling
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return None


def _found(folder: Path) -> bool:
    try:
        return any(_FILE.fullmatch(name) for name in os.listdir(folder))
    except FileNotFoundError:
        return False


def _up_to_repository(folder: Path) -> Iterator[Path]:
    """A folder and those around it, up to the top of its repository; the folder alone where there is none."""
    around = [folder, *folder.parents]
    top = next((n for n, each in enumerate(around) if (each / ".git").exists()), 0)
    yield from around[: top + 1]
