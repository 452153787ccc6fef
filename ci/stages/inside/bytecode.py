"""Runs inside a container: compiles Python packages and the standard library, so that no start has to.

Usage: bytecode.py OUT FOLDER... Bytecode of what is in the folders, and in this Python's own, goes where
Python looks for it, below OUT as below the root. The same sources give the same bytes: it goes by the hash of
its source, which is not looked at again in an image that does not change. Standard library only.
"""

import importlib.util
import py_compile
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# Of the standard library, what no service loads; packages installed next to it are no part of it.
LEFT_OUT = {"ensurepip", "idlelib", "lib2to3", "test", "dist-packages", "site-packages"}


def main(out: Path, folders: list[Path], library: Path) -> None:
    """Compile everything that compiles: some packages carry templates, and syntax of other versions."""
    for source in _sources(folders, library):
        compiled = out / Path(importlib.util.cache_from_source(str(source))).relative_to("/")
        compiled.parent.mkdir(parents=True, exist_ok=True)
        py_compile.compile(
            str(source),
            str(compiled),
            quiet=2,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def _sources(folders: list[Path], library: Path) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.rglob("*.py"))
    for source in sorted(library.rglob("*.py")):
        if source.relative_to(library).parts[0] not in LEFT_OUT:
            yield source


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]], Path(sysconfig.get_path("stdlib")))
