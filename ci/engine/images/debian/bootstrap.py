"""From a recipe to an image: choose packages, fetch them, merge them, settle them, pack them."""

import contextlib
import fnmatch
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread

from ci.engine.images.debian import busybox, dpkg
from ci.engine.images.debian.apt import Source
from ci.engine.images.debian.archive import Archive, Progress, Suite
from ci.engine.images.debian.deb import Deb, read_deb
from ci.engine.images.debian.depends import closure
from ci.engine.images.debian.packages import Index, Package
from ci.engine.images.debian.recipes import SUITES, Recipe, config, suites
from ci.engine.images.debian.root import Root
from ci.engine.images.debian.system import settle
from ci.engine.images.errors import BootstrapFailed
from ci.engine.images.image import Image
from ci.engine.images.layers.pack import pack
from ci.engine.images.together import together
from ci.engine.store.blobs import Blobs, room

_ARCHITECTURES = {
    "linux/amd64": "amd64",
    "linux/arm64": "arm64",
    "linux/arm/v7": "armhf",
    "linux/386": "i386",
    "linux/ppc64le": "ppc64el",
    "linux/s390x": "s390x",
    "linux/riscv64": "riscv64",
}
_DOWNLOADS = 8
_DROPPED = (
    "usr/share/doc/*",
    "usr/share/info/*",
    "usr/share/lintian/*",
    "usr/share/locale/*",
    "usr/share/man/*",
)
_KEPT = ("usr/share/doc/*/copyright",)


async def bootstrap(
    wanted: Recipe,
    *,
    blobs: Blobs,
    state: Path,
    progress: Progress = lambda _line: None,
    platform: str = "linux/amd64",
    sources: Sequence[Source] | None = None,
) -> Image:
    """Build the image of a recipe; its one layer goes to `blobs`. The same packages give the same digest.

    Packages are kept in `state`; `progress` gets a line now and then. `sources` are the Debian mirrors, the
    host's own unless given. Raises BootstrapFailed, StoreFull.
    """
    architecture = _architecture(platform)
    cache = Blobs(state / "debian")
    async with Archive(cache, sources) as archive:
        name, found, index = await _choose(archive, wanted, architecture, progress)
        wanted = replace(wanted, suite=name)
        packages = await anyio.to_thread.run_sync(_packages, index, wanted)
        progress(_summary(packages, name))
        with room(state), contextlib.ExitStack() as files:
            debs = await _fetch(archive, packages, cache.root, files)
            progress("putting the root file system together")
            return await anyio.to_thread.run_sync(_build, wanted, found, debs, blobs, platform)


def _packages(index: Index, wanted: Recipe) -> list[Package]:
    if wanted.kind == "busybox" and busybox.PACKAGE in index:
        return [index[busybox.PACKAGE]]
    return closure(index, wanted.packages)


def _summary(packages: Sequence[Package], suite: str) -> str:
    size = sum(package.size for package in packages) >> 20
    return f"{len(packages)} packages of Debian {suite} ({size} MiB)"


def _architecture(platform: str) -> str:
    name = _ARCHITECTURES.get(platform.removesuffix("/v8"))
    if name is None:
        raise BootstrapFailed(
            f"Debian has no architecture for {platform}: ask for one of {', '.join(_ARCHITECTURES)}"
        )
    return name


async def _choose(
    archive: Archive, wanted: Recipe, architecture: str, progress: Progress
) -> tuple[str, list[Suite], Index]:
    """The first suite that has the Python of the recipe."""
    for name in suites(wanted):
        progress(f"reading the package lists of Debian {name}")
        found = await archive.suites(name)
        index = await archive.index(found, architecture)
        if not wanted.python or f"python{wanted.python}" in index:
            return name, found, index
    pairs = ", ".join(f"{python} ({suite})" for suite, python in SUITES.items())
    where = f"Debian {wanted.suite} has no" if wanted.suite else "no suite of Debian has"
    raise BootstrapFailed(
        f"{where} Python {wanted.python}: there are {pairs}; for another, use a registry that answers"
    )


async def _fetch(
    archive: Archive, packages: Sequence[Package], scratch: Path, files: contextlib.ExitStack
) -> list[Deb]:
    """Download and take apart, side by side; the result is in the order of `packages`.

    What their files contain lies in unnamed files, which `files` closes.
    """
    debs: dict[str, Deb] = {}
    fetching, reading = anyio.CapacityLimiter(_DOWNLOADS), anyio.CapacityLimiter(os.cpu_count() or 1)

    async def one(package: Package) -> None:
        async with fetching:
            path = await archive.package(package)
        contents = files.enter_context(tempfile.TemporaryFile(dir=scratch))  # noqa: SIM115 - closed with `files`
        debs[package.name] = await anyio.to_thread.run_sync(read_deb, path, contents, limiter=reading)

    # The big ones first, so that none is left to wait for at the end.
    await together(one, sorted(packages, key=lambda package: -package.size))
    return [debs[package.name] for package in packages]


def _build(wanted: Recipe, found: Sequence[Suite], debs: Sequence[Deb], blobs: Blobs, platform: str) -> Image:
    root = Root(max(member.mtime for deb in debs for member in deb.members))
    version = ""
    if wanted.kind == "busybox":
        busybox.lay_out(root, debs[0], wanted.alpine)
    else:
        version = _system(root, wanted, found, debs)
    created = datetime.fromtimestamp(root.mtime // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    layer = pack(root.members(), blobs)
    settings = config(wanted, version, created)
    history = ({"created": created, "created_by": f"bootstrapped from {len(debs)} Debian packages"},)
    return Image(replace(settings, history=history), (layer,), platform)


def _system(root: Root, wanted: Recipe, found: Sequence[Suite], debs: Sequence[Deb]) -> str:
    """A whole system of Debian packages; returns the version of its Python, where that is the point of it."""
    for deb in debs:
        root.install(deb.members, _slim if wanted.slim else lambda _path: True)
    settle(root)
    dpkg.record(root, debs)
    dpkg.alternatives(root, debs)
    _sources(root, found)
    if wanted.slim:
        lines = [f"path-exclude /{pattern}\n" for pattern in _DROPPED] + [
            f"path-include /{pattern}\n" for pattern in _KEPT
        ]
        root.file("etc/dpkg/dpkg.cfg.d/slim", "".join(lines))
    return _python(root, wanted, debs) if wanted.kind == "python" else ""


def _slim(path: str) -> bool:
    dropped = any(fnmatch.fnmatchcase(path, pattern) for pattern in _DROPPED)
    return not dropped or any(fnmatch.fnmatchcase(path, pattern) for pattern in _KEPT)


def _sources(root: Root, found: Sequence[Suite]) -> None:
    """Where the image's own apt finds packages: the same mirrors."""
    text = "\n".join(
        f"Types: deb\nURIs: {suite.source.public_uri}\nSuites: {suite.source.suite}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        for suite in found
    )
    root.file("etc/apt/sources.list.d/debian.sources", text)


def _python(root: Root, wanted: Recipe, debs: Sequence[Deb]) -> str:
    """Python where the official image has it; returns its version."""
    default = root.resolve("usr/bin/python3") or ""
    short = wanted.python or default.removeprefix("usr/bin/python")
    for name in ("python", "python3", f"python{short}"):
        root.symlink(f"usr/local/bin/{name}", f"../../bin/python{short}")
    # As in the official image, pip installs into the system: that is what the image is for.
    marker = f"usr/lib/python{short}/EXTERNALLY-MANAGED"
    if marker in root:
        dpkg.divert(root, marker)
    version = next((deb.fields["Version"] for deb in debs if deb.name == f"python{short}"), short)
    return re.split(r"[-+~]", version)[0]
