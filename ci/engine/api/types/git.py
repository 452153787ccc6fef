"""``GitRepository`` and ``GitRef``: remote repositories, their refs, and the trees of those."""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

import fnmatch
import re
import tempfile
from pathlib import Path

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.api.types import directory, directory_files, paths
from ci.engine.api.types.changeset import Changeset
from ci.engine.api.types.common import works
from ci.engine.errors import EngineError
from ci.engine.graph.files import SCRATCH, Directory, Fixed
from ci.engine.graph.host import hostexport
from ci.engine.graph.host.git import SHA, Git, Ref, Remote, Repository, addressed
from ci.engine.graph.host.socket import Socket
from ci.engine.graph.secret import Secret
from ci.engine.graph.serving.service import Service
from ci.engine.store.tree import Snapshot

serves_attributes("GitRepository", "url")
serves_attributes("GitRef", "commit")

_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?:-(?P<before>[\w.-]+))?(?:\+[\w.-]+)?")


@serves("Query")
async def git(
    call: Call,
    _parent: object,
    *,
    url: str,
    keep_git_dir: bool = True,
    ssh_known_hosts: str = "",
    ssh_auth_socket: Socket | None = None,
    http_auth_username: str = "",
    http_auth_token: Secret | None = None,
    http_auth_header: Secret | None = None,
    experimental_service_host: Service | None = None,
) -> Repository:
    """A remote repository."""
    del call
    if experimental_service_host is not None:
        raise EngineError("git with experimentalServiceHost is not served by the embedded engine")
    if http_auth_token is not None and http_auth_header is not None:
        raise EngineError("cannot set both httpAuthToken and httpAuthHeader")
    agent = ssh_auth_socket.path if ssh_auth_socket is not None else ""
    return Repository(
        addressed(url),
        http_auth_username,
        http_auth_token,
        http_auth_header,
        agent,
        ssh_known_hosts,
        not keep_git_dir,
    )


async def _git(call: Call, repository: Repository) -> Git:
    secrets = call.session.secrets

    async def revealed(secret: Secret | None) -> str:
        return (await secrets.plaintext(secret)).decode() if secret is not None else ""

    known_hosts = None
    if repository.known_hosts:
        folder = works(call).store.scratch()
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
            file.write(repository.known_hosts)
        known_hosts = Path(file.name)
    token, header = await revealed(repository.token), await revealed(repository.header)
    where = await _written(call, repository) if repository.local else str(repository.url)
    return Git.allowed(repository, where, token, header, known_hosts)


async def _written(call: Call, repository: Repository) -> str:
    """The folder that a local repository is written to, once a session, for git to read it."""
    parts = works(call)
    local = repository.local
    assert local is not None  # noqa: S101  # whoever calls this has looked

    async def write() -> str:
        tree = (await directory.entry(call, local)).digest
        folder = parts.store.scratch()
        await parts.evaluator.in_thread(
            lambda: hostexport.export_directory(parts.store, tree, folder, wipe=False)
        )
        return str(folder)

    if not await paths.exists(
        call, local.files, directory.at(local, ".git"), None, follow=True
    ) and not await paths.exists(call, local.files, directory.at(local, "HEAD"), None, follow=True):
        raise EngineError("git error: not a git repository")
    return await parts.evaluator.once.get(("git-local", repository.digest), write)


@serves("Directory")
def as_git(_call: Call, parent: Directory) -> Repository:
    """As a repository, by its .git."""
    return Repository(None, local=parent)


@serves("GitRepository")
async def uncommitted(call: Call, parent: Repository) -> Changeset:
    """What a local repository's files have over its HEAD; a remote one has nothing."""
    if parent.local is None:
        return Changeset(Directory(SCRATCH), Directory(SCRATCH))
    committed = await tree(call, await head(call, parent), discard_git_dir=True)
    return Changeset(committed, directory_files.without_directory(call, parent.local, path=".git"))


async def _remote(call: Call, repository: Repository) -> Remote:
    """A repository's refs, asked for once a session."""
    evaluator = works(call).evaluator

    async def asked() -> Remote:
        return await evaluator.in_thread((await _git(call, repository)).remote)

    return await evaluator.once.get(("git", repository.digest), asked)


async def _found(call: Call, repository: Repository, name: str) -> Ref:
    full, commit = (await _remote(call, repository)).find(name)
    return Ref(repository, full, commit)


@serves("GitRepository")
async def head(call: Call, parent: Repository) -> Ref:
    """What HEAD leads to."""
    remote = await _remote(call, parent)
    return await _found(call, parent, remote.head or "HEAD")


@serves("GitRepository")
async def branch(call: Call, parent: Repository, *, name: str) -> Ref:
    """A branch."""
    return await _found(call, parent, f"refs/heads/{name.removeprefix('refs/heads/')}")


@serves("GitRepository")
async def tag(call: Call, parent: Repository, *, name: str) -> Ref:
    """A tag."""
    return await _found(call, parent, f"refs/tags/{name.removeprefix('refs/tags/')}")


@serves("GitRepository", field="commit")
def commit_of(_call: Call, parent: Repository, *, id: str) -> Ref:  # noqa: A002  # pylint: disable=redefined-builtin
    """A commit by its whole SHA."""
    if not SHA.fullmatch(id):
        raise EngineError(f'invalid commit SHA: "{id}"')
    return Ref(parent, "", id)


@serves("GitRepository", field="ref")
async def ref_of(call: Call, parent: Repository, *, name: str) -> Ref:
    """A ref by its full name, a branch, a tag, or a commit."""
    if SHA.fullmatch(name):
        return Ref(parent, "", name)
    return await _found(call, parent, name)


def _matching(names: list[str], patterns: list[str] | None) -> list[str]:
    plain = [pattern.removeprefix("refs/tags/").removeprefix("refs/heads/") for pattern in patterns or ()]
    return [name for name in names if not plain or any(fnmatch.fnmatchcase(name, p) for p in plain)]


@serves("GitRepository")
async def tags(call: Call, parent: Repository, *, patterns: list[str] | None = None) -> list[str]:
    """The names of the tags, of those that match a pattern."""
    return _matching((await _remote(call, parent)).names("refs/tags/"), patterns)


@serves("GitRepository")
async def branches(call: Call, parent: Repository, *, patterns: list[str] | None = None) -> list[str]:
    """The names of the branches, of those that match a pattern."""
    return _matching((await _remote(call, parent)).names("refs/heads/"), patterns)


@serves("GitRepository")
async def latest_version(call: Call, parent: Repository) -> Ref:
    """The tag of the highest semantic version."""
    names = (await _remote(call, parent)).names("refs/tags/")
    versions = [(match, name) for name in names if (match := _VERSION.fullmatch(name))]
    if not versions:
        raise EngineError("no valid semver tags found")
    return await tag(call, parent, name=max(versions, key=lambda row: _precedence(row[0]))[1])


def _precedence(version: re.Match[str]) -> tuple[object, ...]:
    """What orders versions (semver.org, 11): a pre-release before its release, numbers before names."""
    parts = version["before"].split(".") if version["before"] else []
    identifiers = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)
    return (*(int(version[number]) for number in (1, 2, 3)), not parts, identifiers)


@serves("GitRef", field="ref")
def ref_name(_call: Call, parent: Ref) -> str:
    """Its full name, or its commit when it has none."""
    return parent.name or parent.commit


@serves("GitRef")
async def tree(
    call: Call,
    parent: Ref,
    *,
    discard_git_dir: bool = False,
    depth: int = 1,
    include_tags: bool = False,
) -> Directory:
    """Its files, fetched once a session."""
    parts = works(call)
    bare = discard_git_dir or parent.repository.bare

    async def fetched() -> Snapshot:
        git = await _git(call, parent.repository)
        return await parts.evaluator.in_thread(
            lambda: git.tree(parts.store, parent, depth=depth, bare=bare, tags=include_tags)
        )

    key = ("git-tree", parent.digest, bare, depth, include_tags)
    return Directory(Fixed(await parts.evaluator.once.get(key, fetched)))


@serves("GitRef")
async def common_ancestor(call: Call, parent: Ref, *, other: Ref) -> Ref:
    """The nearest commit that two refs have in common."""
    parts = works(call)
    git = await _git(call, parent.repository)
    commit = await parts.evaluator.in_thread(git.ancestor, parts.store, parent.commit, other.commit)
    return Ref(parent.repository, "", commit)
