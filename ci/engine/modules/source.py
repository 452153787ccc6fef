"""Where a module's source is: a folder of the host, or a directory, with a dagger.json in it."""

from __future__ import annotations

import os
import posixpath
import re
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.files import SCRATCH, Directory, Fixed
from ci.engine.graph.fingerprint import Digested, fingerprint
from ci.engine.graph.host import hostfiles
from ci.engine.graph.host.hostfiles import Reading
from ci.engine.modules.config import FILENAME, Config, Dependency
from ci.engine.store import algebra
from ci.engine.store.patterns import BadPattern, Selection
from ci.engine.store.tree import REGULAR

if TYPE_CHECKING:
    from ci.engine.store.store import Store
    from ci.engine.works import Works

LOCAL, DIRECTORY = "LOCAL_SOURCE", "DIR_SOURCE"

#: What is never a part of a module: the repository's history, and what tools leave behind.
_NEVER = ("**/.git", "**/.venv", "**/__pycache__", "**/node_modules")
_REMOTE = re.compile(r"[a-z+]+://|git@|[\w-]+(\.[\w-]+)+/", re.IGNORECASE)


@dataclass(frozen=True)
class ModuleSource(Digested):
    """A module's source: ``root`` (its dagger.json's) and ``subpath`` (its code's) are paths in ``context``.

    ``place`` is the context's path on the host, "" for a directory that is not of the host.
    """

    kind: str
    reference: str
    context: Directory
    root: str
    original_subpath: str
    config: Config
    config_exists: bool
    place: str = ""
    name: str = ""
    dependencies: tuple[ModuleSource, ...] = ()
    generate: bool = False

    @property
    def subpath(self) -> str:
        """Where the code is, in the context."""
        return posixpath.normpath(posixpath.join(self.root, self.config.source or "."))

    @property
    def location(self) -> str:
        """Where its code is on the host, "" if it is not there."""
        return posixpath.normpath(posixpath.join(self.place, self.subpath)) if self.place else ""

    @property
    def module_name(self) -> str:
        """What the module is called where it is used; a dependency may be given another name."""
        return self.name or self.config.name

    @property
    def content(self) -> str:
        """Names what the module is, wherever its context lies on the host."""
        below = [(each.module_name, each.content) for each in self.dependencies]
        return fingerprint("module source", self.context, self.root, self.config, self.module_name, below)


def remote(reference: str) -> bool:
    """Whether a reference names a module of a Git repository elsewhere."""
    return not reference.startswith((".", "/")) and bool(_REMOTE.match(reference))


def refused(reference: str) -> EngineError:
    """The error for a module that is elsewhere."""
    return EngineError(
        f'module "{reference}" is in a Git repository elsewhere, and remote modules are not served by the '
        "embedded engine: clone the repository and name the module's folder instead"
    )


async def local(
    works: Works, workdir: Path, reference: str, *, find_up: bool = True, may_lack: bool = False
) -> ModuleSource:
    """The source of a module on the host.

    Raises:
        EngineError: there is none, it lies outside of its context, or its dagger.json is malformed.
    """
    reading = partial(_local, works.store, workdir, reference, find_up=find_up, may_lack=may_lack)
    return await works.evaluator.in_thread(reading)


def _local(
    store: Store,
    workdir: Path,
    reference: str,
    *,
    find_up: bool = False,
    may_lack: bool = False,
    depending: tuple[Path, ...] = (),
) -> ModuleSource:
    path = Path(os.path.normpath(workdir / reference))
    if not path.is_dir() and not (workdir / reference).exists():
        named = None if depending else _named_dependency(workdir, reference)
        if named is not None:
            return _local(store, *named, depending=(workdir,))
        if not may_lack:
            raise EngineError(f'local path "{reference}" does not exist')
    folder = path
    if find_up:
        folder = _around(path) or path
    exists = (folder / FILENAME).is_file()
    config = _configured(folder) if exists else Config()
    if folder in depending:
        cycle = " -> ".join(str(each) for each in (*depending, folder))
        raise EngineError(f"modules depend on each other in a circle: {cycle}")
    top = next((each for each in (folder, *folder.parents) if os.path.lexists(each / ".git")), folder)
    root = folder.relative_to(top).as_posix()
    _check_source(config, root)
    dependencies = []
    for each in config.dependencies:
        found = _local(store, folder, _reference(each), depending=(*depending, folder))
        dependencies.append(replace(found, name=each.name or found.config.name))
    bare = ModuleSource(
        kind=LOCAL,
        reference=reference,
        context=Directory(SCRATCH),
        root=root,
        original_subpath=os.path.relpath(path, top),
        config=config,
        config_exists=exists,
        place=str(top),
        dependencies=tuple(dependencies),
    )
    return replace(bare, context=read_context(store, bare)) if exists else bare


def _check_source(config: Config, root: str) -> None:
    source = config.source
    if not source:
        return
    if posixpath.isabs(source):
        raise EngineError(f'source path "{source}" is absolute')
    if posixpath.normpath(posixpath.join(root, source)).startswith(".."):
        raise EngineError(f'source path "{source}" escapes context from source root "{root}"')
    if not config.sdk:
        raise EngineError(f'source path "{source}" specified without sdk')


def _named_dependency(workdir: Path, name: str) -> tuple[Path, str] | None:
    """Where the dependency of that name of the module around ``workdir`` is, if it has one."""
    folder = _around(workdir)
    if folder is None:
        return None
    found = next((each for each in _configured(folder).dependencies if each.name == name), None)
    return (folder, _reference(found)) if found else None


def _around(folder: Path) -> Path | None:
    """The nearest folder with a dagger.json: the folder itself, or one above it."""
    return next((each for each in (folder, *folder.parents) if (each / FILENAME).is_file()), None)


def _configured(folder: Path) -> Config:
    file = folder / FILENAME
    return Config.parse(file.read_bytes(), str(file))


def _reference(dependency: Dependency) -> str:
    """Where a dependency is, from the module that has it; EngineError if that is elsewhere."""
    if remote(dependency.source):
        raise refused(dependency.source)
    return dependency.source


def includes(config: Config, root: str) -> tuple[str, ...]:
    """Which part of a context is a module's source, as patterns."""
    source = posixpath.normpath(posixpath.join(root, config.source or "."))
    whole = "**" if source == "." else f"{source}/**"
    own = posixpath.normpath(posixpath.join(root, FILENAME))
    rebased = []
    for pattern in config.include:
        mark = "!" if pattern.startswith("!") else ""
        rebased.append(mark + posixpath.normpath(posixpath.join(root, pattern.removeprefix("!"))))
    return (own, whole, *rebased)


def read_context(store: Store, source: ModuleSource) -> Directory:
    """The part of a context on the host that is the module's. Blocking."""
    top, code = Path(source.place), source.subpath
    vendored = posixpath.normpath(posixpath.join(code, "sdk"))
    exclude = (*_NEVER, vendored) if (top / vendored / "src" / "dagger").is_dir() else _NEVER
    return _read(store, top, includes(source.config, source.root), exclude)


def _read(store: Store, folder: Path, include: tuple[str, ...], exclude: tuple[str, ...]) -> Directory:
    try:
        selection = Selection.parse(include, exclude)
    except BadPattern as error:
        raise EngineError(str(error)) from error
    return Directory(Fixed(hostfiles.import_directory(store, Reading(folder, selection), now=time.time_ns())))


def context_path(source: ModuleSource, path: str) -> str:
    """Where a default path leads, in a module's context: an absolute one starts at the context itself.

    Raises:
        EngineError: it leads out of the context.
    """
    joined = path.lstrip("/") if path.startswith("/") else posixpath.join(source.root, path)
    found = posixpath.normpath(joined or ".")
    if found == ".." or found.startswith("../"):
        raise EngineError(f'path "{path}" escapes the context of module "{source.module_name}"')
    return found


async def context_directory(
    works: Works, source: ModuleSource, path: str, ignore: tuple[str, ...]
) -> Directory:
    """A directory around a module's source: of the host as it is now, if the module is there.

    Raises:
        EngineError: there is none.
    """
    inner = context_path(source, path)
    if source.kind != LOCAL:
        beside = posixpath.normpath(posixpath.join(source.context.path, inner))
        return Directory(source.context.files, beside)
    folder = Path(source.place) / inner
    if not folder.is_dir():
        raise EngineError(f'lstat {folder}: no such file or directory (default path "{path}")')

    async def read() -> Directory:
        return await works.evaluator.in_thread(_read, works.store, folder, (), ignore)

    return await works.evaluator.once.get(("context", str(folder), ignore), read)


async def text_beside(works: Works, source: ModuleSource, name: str) -> str | None:
    """The text of a file beside a module's code, None when there is none."""
    snapshot = await works.evaluator.evaluate(source.context.files)
    path = posixpath.normpath(posixpath.join("/", source.context.path, source.subpath, name))
    entry = algebra.lookup(works.store.trees, snapshot.tree, path)
    if entry is None or entry.kind != REGULAR:
        return None
    return (await works.evaluator.in_thread(works.store.read, entry.digest)).decode(errors="replace")


async def of_directory(
    works: Works, directory: Directory, root: str, depending: tuple[str, ...] = ()
) -> ModuleSource:
    """The source of a module that is in a directory, as are those it depends on.

    Raises:
        EngineError: there is none, or its dagger.json is malformed.
    """
    root = posixpath.normpath(root.lstrip("/") or ".")
    if root in depending:
        raise EngineError(f"modules depend on each other in a circle: {' -> '.join((*depending, root))}")
    snapshot = await works.evaluator.evaluate(directory.files)
    place = posixpath.normpath(posixpath.join("/", directory.path, root, FILENAME))
    entry = algebra.lookup(works.store.trees, snapshot.tree, place)
    if entry is None:
        raise EngineError(
            f'dir module source does not contain a dagger config file: no {FILENAME} in "{root}"'
        )
    config = Config.parse(await works.evaluator.in_thread(works.store.read, entry.digest), place)
    _check_source(config, root)
    dependencies = []
    for each in config.dependencies:
        below = posixpath.join(root, _reference(each))
        found = await of_directory(works, directory, below, (*depending, root))
        dependencies.append(replace(found, name=each.name or found.config.name))
    return ModuleSource(
        kind=DIRECTORY,
        reference=root,
        context=directory,
        root=root,
        original_subpath=root,
        config=config,
        config_exists=True,
        dependencies=tuple(dependencies),
    )
