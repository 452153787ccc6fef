"""``Address``: text as it is typed on a command line, as the object that it stands for."""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from ci.engine.api.registry import Call, refuse, serves, serves_attributes
from ci.engine.api.types import directory, git, host
from ci.engine.api.types.container import image as container_image
from ci.engine.api.types.host import Host
from ci.engine.errors import EngineError
from ci.engine.graph.container import Container
from ci.engine.graph.files import Directory, File
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.host.git import Ref, Repository, addressed
from ci.engine.graph.host.socket import Socket
from ci.engine.graph.secret import Secret
from ci.engine.graph.serving.service import Service
from ci.engine.platform import host_platform

refuse("Address", "volume", because="it mounts no remote file systems")


@dataclass(frozen=True)
class Address(Digested):
    """The text."""

    value: str


serves_attributes("Address", "value")


@dataclass(frozen=True, slots=True)
class _Remote:
    """A git address: the repository, and what is behind its ``#``: a ref and a path in it."""

    url: str
    ref: str
    path: str


def _remote(value: str) -> _Remote | None:
    """A git address taken apart; None for what is none, a local path."""
    url, _, fragment = value.partition("#")
    try:
        url = addressed(url)
    except EngineError:
        return None
    ref, _, path = fragment.partition(":")
    return _Remote(url, ref, path)


def _local(value: str) -> str:
    return value.removeprefix("file://")


@serves("Query", field="address")
def new_address(_call: Call, _parent: object, *, value: str) -> Address:
    """What a text stands for."""
    if not value:
        raise EngineError("resource cannot have empty address")
    return Address(value)


@serves("Address", field="container")
async def container_at(call: Call, parent: Address) -> Container:
    """As an image has it."""
    return await container_image.from_(call, Container(host_platform()), address=parent.value)


async def _ref(call: Call, remote: _Remote) -> Ref:
    repository = Repository(remote.url)
    return await (git.ref_of(call, repository, name=remote.ref) if remote.ref else git.head(call, repository))


@serves("Address", field="directory")
async def directory_at(
    call: Call,
    parent: Address,
    *,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
    no_cache: bool = False,
) -> Directory:
    """A directory of the host, or of a git repository."""
    remote = _remote(parent.value)
    if remote is None:
        return await host.directory(
            call,
            Host(),
            path=_local(parent.value),
            exclude=exclude,
            include=include,
            no_cache=no_cache,
            gitignore=gitignore,
        )
    tree = await git.tree(call, await _ref(call, remote))
    return directory.directory(call, tree, path=remote.path) if remote.path else tree


@serves("Address", field="file")
async def file_at(
    call: Call,
    parent: Address,
    *,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
    no_cache: bool = False,
) -> File:
    """A file of the host, or of a git repository."""
    del exclude, include, gitignore
    remote = _remote(parent.value)
    if remote is None:
        return await host.file(call, Host(), path=_local(parent.value), no_cache=no_cache)
    if not remote.path:
        raise EngineError("no file path specified within git repository")
    tree = await git.tree(call, await _ref(call, remote))
    return directory.file(call, tree, path=remote.path)


async def _of_the_host(call: Call, path: str) -> Repository:
    return Repository(None, local=await host.directory(call, Host(), path=_local(path)))


@serves("Address")
async def git_repository(call: Call, parent: Address) -> Repository:
    """A git repository."""
    remote = _remote(parent.value)
    if remote is None:
        return await _of_the_host(call, parent.value)
    if remote.ref:
        raise EngineError("git repository address cannot contain ref")
    if remote.path:
        raise EngineError("git repository address cannot contain subdir")
    return Repository(remote.url)


@serves("Address")
async def git_ref(call: Call, parent: Address) -> Ref:
    """A ref of a git repository; its HEAD when none is named."""
    remote = _remote(parent.value)
    if remote is None:
        path, _, name = parent.value.partition("#")
        repository = await _of_the_host(call, path)
        return await (git.ref_of(call, repository, name=name) if name else git.head(call, repository))
    if remote.path:
        raise EngineError("git ref address cannot contain subdir")
    return await _ref(call, remote)


@serves("Address", field="secret")
def secret_at(call: Call, parent: Address) -> Secret:
    """A secret by its provider; a plain name is a variable of the environment."""
    value = parent.value if ":" in parent.value else f"env://{parent.value}"
    scheme, _, rest = value.partition(":")
    base, mark, query = (value if rest.startswith("//") else f"{scheme}://{rest}").partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    key = options.pop("cacheKey", None) if mark else None
    return call.session.secrets.refer(f"{base}?{urlencode(options)}" if options else base, key)


@serves("Address", field="service")
def service_at(call: Call, parent: Address) -> Service:
    """A port of the host, or of another machine, as ``tcp://HOST:PORT``."""
    url = urlsplit(parent.value)
    if not url.hostname or url.port is None:
        raise EngineError(f"address {url.netloc}: missing port in address")
    if url.scheme not in {"tcp", "udp"}:
        raise EngineError(
            f'unsupported service address: "{url.scheme}". Must be a valid tcp:// or udp:// URL'
        )
    port = {"frontend": url.port, "backend": url.port, "protocol": url.scheme.upper()}
    return host.service_of_the_host(call, Host(), ports=[port], host=url.hostname)


@serves("Address", field="socket")
def socket_at(call: Call, parent: Address) -> Socket:
    """A Unix socket of the host."""
    return host.unix_socket(call, Host(), path=parent.value.removeprefix("unix://"))
