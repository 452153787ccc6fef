"""A Debian archive as this host reaches it: signed indexes and packages, checked and kept."""

import io
import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import anyio
import anyio.to_thread
import httpx

from ci.engine.images.debian.apt import Source, host_sources, proxies
from ci.engine.images.debian.packages import Index, Package
from ci.engine.images.debian.recipes import SUITES, UNRELEASED
from ci.engine.images.debian.release import Release, keyrings, verify
from ci.engine.images.errors import BootstrapFailed
from ci.engine.images.together import together
from ci.engine.images.transport import TooLong, client, download, partial
from ci.engine.store.blobs import BlobMismatch, Blobs

Progress = Callable[[str], None]

_COMPONENT = "main"
_POCKETS = ("-security", "-updates")


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite that was found: where, its verified Release, and its name there."""

    source: Source
    release: Release


class Archive:
    """Fetches from the host's own Debian mirrors; what it fetched is kept in `cache`."""

    def __init__(self, cache: Blobs, sources: Sequence[Source] | None = None) -> None:
        self._cache = cache
        self._sources = debian_sources(host_sources() if sources is None else sources)
        self._proxies = proxies()
        self._session: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._session = client(proxies=self._proxies)
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._session is not None:
            await self._session.aclose()

    async def suites(self, name: str) -> list[Suite]:
        """The suite `name` with its security and stable updates, where the host has those of its own release.

        Raises BootstrapFailed when no mirror has the suite, or its signature is no good.
        """
        base = [replace(each, suite=name) for each in self._sources if not each.suite.endswith(_POCKETS)]
        choices = [list(dict.fromkeys(base))]
        for pocket in () if name in UNRELEASED else _POCKETS:
            found = (each for each in self._sources if each.suite.endswith(pocket))
            choices += [[replace(each, suite=name + pocket) for each in found]]

        async def look(sources: Sequence[Source]) -> Suite | None:
            # A release that is not supported any more has no updates; the host's own has to have what it
            # lists.
            return await self._any(sources, required=sources is choices[0] or sources[0] in self._sources)

        suites = await together(look, [sources for sources in choices if sources])
        return [suite for suite in suites if suite is not None]

    async def index(self, suites: Sequence[Suite], architecture: str) -> Index:
        """The packages of these suites for one architecture ("amd64")."""
        texts = await together(lambda suite: self._packages(suite, architecture), suites)
        index = Index()
        for suite, text in zip(suites, texts, strict=True):
            await anyio.to_thread.run_sync(index.add, text, suite.source.uri)
        return index

    async def package(self, package: Package) -> Path:
        """The .deb of a package, fetched once. Raises BootstrapFailed, StoreFull."""
        return await self._fetch(f"{package.source}/{package.filename}", package.sha256, package.size)

    async def _any(self, candidates: Sequence[Source], *, required: bool) -> Suite | None:
        failures = []
        for source in candidates:
            try:
                return Suite(source, await self._release(source))
            except httpx.HTTPStatusError as error:
                failures.append(f"{error.request.url} answered {error.response.status_code}")
            except httpx.HTTPError as error:
                failures.append(f"{source.public_uri} cannot be reached ({_why(error)})")
        if required:
            raise BootstrapFailed(
                f"{'; '.join(failures)}: check the network, the proxy settings and the mirrors in "
                "/etc/apt/sources.list(.d)"
            )
        return None

    async def _release(self, source: Source) -> Release:
        url = f"{source.uri}/dists/{source.suite}/InRelease"
        signed = io.BytesIO()
        await download(self._http, url, signed)
        public = f"{source.public_uri}/dists/{source.suite}/InRelease"
        release = await anyio.to_thread.run_sync(verify, signed.getvalue(), public, keyrings())
        # A mirror must not pass one suite off as another.
        if source.suite not in (release.codename, release.suite):
            raise BootstrapFailed(f"{public} is that of {release.codename!r}: use another mirror")
        return release

    async def _packages(self, suite: Suite, architecture: str) -> str:
        name = f"{_COMPONENT}/binary-{architecture}/Packages.xz"
        if name not in suite.release.files:
            raise BootstrapFailed(
                f"{suite.source.public_uri} has no {name} in {suite.source.suite}: it lacks this platform"
            )
        sha256, size = suite.release.files[name]
        folder = f"{suite.source.uri}/dists/{suite.source.suite}"
        # By hash, an index cannot change between reading the table of contents and reading the index.
        at = (
            f"{folder}/{name.rpartition('/')[0]}/by-hash/SHA256/{sha256}"
            if suite.release.by_hash
            else f"{folder}/{name}"
        )
        path = await self._fetch(at, sha256, size)
        return await anyio.to_thread.run_sync(lambda: lzma.decompress(path.read_bytes()).decode())

    async def _fetch(self, url: str, sha256: str, size: int) -> Path:
        digest = f"sha256:{sha256}"
        if not self._cache.has(digest):
            with partial(self._cache.root / "fetch", sha256) as (path, file):
                try:
                    await download(self._http, url, file, size=size)
                    await anyio.to_thread.run_sync(self._cache.adopt, path, digest)
                except httpx.HTTPStatusError as error:
                    status = error.response.status_code
                    raise BootstrapFailed(
                        f"{_public(url)} answered {status}: the mirror may be incomplete; try another"
                    ) from error
                except httpx.HTTPError as error:
                    raise BootstrapFailed(
                        f"{_public(url)} cannot be fetched ({_why(error)}): check the network"
                    ) from error
                except (BlobMismatch, TooLong) as error:
                    raise BootstrapFailed(
                        f"{_public(url)} is not what the archive signed ({error}): use another mirror"
                    ) from error
        return self._cache.path(digest)

    @property
    def _http(self) -> httpx.AsyncClient:
        if self._session is None:
            raise RuntimeError("an Archive is used inside its `async with` block")
        return self._session


def debian_sources(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Those that by suite and component are Debian's own. Raises BootstrapFailed when there are none."""
    names = {f"{suite}{pocket}" for suite in (*SUITES, *UNRELEASED, *_STABLE) for pocket in ("", *_POCKETS)}
    found = tuple(source for source in sources if source.suite in names and _COMPONENT in source.components)
    if not any(not source.suite.endswith(_POCKETS) for source in found):
        raise BootstrapFailed(
            "this host's apt has no Debian mirror in /etc/apt/sources.list(.d): add one, "
            "or use a registry that answers, or give the base image as an archive"
        )
    return found


_STABLE = ("stable", "oldstable", "oldoldstable", "sid", "forky")


def _public(url: str) -> str:
    return Source(url, "", ()).public_uri


def _why(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
