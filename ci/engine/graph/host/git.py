"""Remote git repositories, read by the host's `git`: what refs they have, and the tree of a commit.

Credentials travel in git's environment, so that no process list shows them. A tree is checked out as Dagger's
engine does it: a repository of its own, at the ref's branch or detached, `origin` set, every time the same.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.files import Directory
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.secret import Secret
from ci.engine.store import layers
from ci.engine.store.tree import EMPTY, Snapshot

if TYPE_CHECKING:
    from ci.engine.store.store import Store

SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SCHEMES = ("https://", "http://", "ssh://", "git://")
_SCP = re.compile(r"(?:([\w.-]+)@)?([\w.-]+):(?!//)(.+)")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+/.+")
#: A second after the epoch: some build tools take the epoch itself for "missing".
_TIME_NS = 1_000_000_000


@dataclass(frozen=True)
class Repository(Digested):
    """A repository by its URL, and how to be let in: a password (``token``), a header, or an SSH agent.

    One that is ``local``, a directory with its ``.git``, has no URL.
    """

    url: str | None
    username: str = ""
    token: Secret | None = None
    header: Secret | None = None
    agent: str = ""
    known_hosts: str = ""
    bare: bool = False
    local: Directory | None = None


@dataclass(frozen=True)
class Ref(Digested):
    """A commit of a repository, and the full name it was found under ("" when its SHA was asked for)."""

    repository: Repository
    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Remote:
    """What a repository told: its refs by full name, and which of them HEAD is."""

    refs: Mapping[str, str]
    head: str

    def find(self, name: str) -> tuple[str, str]:
        """The full name and the commit of a ref, given in full or as a branch or tag.

        Raises:
            EngineError: there is none.
        """
        for full in (name, f"refs/{name}", f"refs/tags/{name}", f"refs/heads/{name}"):
            if full in self.refs:
                return full, self.refs.get(f"{full}^{{}}", self.refs[full])
        raise EngineError(f'repository does not contain ref "{name}"')

    def names(self, prefix: str) -> list[str]:
        """The names of all refs below a prefix, without it."""
        return sorted(
            name.removeprefix(prefix)
            for name in self.refs
            if name.startswith(prefix) and not name.endswith("^{}")
        )


def addressed(url: str) -> str:
    """A repository's URL, spelled out; HTTPS is tried for what names no protocol.

    Raises:
        EngineError: it is no URL of a remote repository.
    """
    if url.startswith(_SCHEMES):
        return url
    short = _SCP.fullmatch(url)
    if short and "/" not in short[2]:
        return f"ssh://{short[1] or 'git'}@{short[2]}/{short[3]}"
    if "://" not in url and _HOST.fullmatch(url):
        return f"https://{url}"
    raise EngineError("failed to determine Git URL protocol")


@dataclass(frozen=True, slots=True)
class Git:
    """The host's `git`, let in to one repository by the environment it runs in. Blocking throughout.

    ``where`` is the repository's URL, or the folder of the host that it was written to.
    """

    repository: Repository
    environment: Mapping[str, str]
    where: str

    @classmethod
    def allowed(
        cls, repository: Repository, where: str, token: str, header: str, known_hosts: Path | None
    ) -> Git:
        """A git with the plaintexts of the repository's secrets ("" for none).

        Raises:
            EngineError: SSH is asked for without an agent.
        """
        environment = {
            **os.environ,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "LC_ALL": "C",
        }
        if token:
            pair = base64.b64encode(f"{repository.username or 'x-access-token'}:{token}".encode()).decode()
            header = f"basic {pair}"
        settings = {"safe.directory": where} if repository.local else {}
        if header:
            settings[f"http.{where}.extraheader"] = f"Authorization: {header}"
        environment["GIT_CONFIG_COUNT"] = str(len(settings))
        for number, (name, value) in enumerate(settings.items()):
            environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        if where.startswith("ssh://"):
            if not repository.agent:
                raise EngineError(
                    "git authentication failed: SSH URLs are not supported without an SSH socket"
                )
            checked = f"-o UserKnownHostsFile={known_hosts}" if known_hosts else "-o StrictHostKeyChecking=no"
            environment |= {"SSH_AUTH_SOCK": repository.agent, "GIT_SSH_COMMAND": f"ssh {checked}"}
        return cls(repository, environment, where)

    def run(self, *args: str, cwd: Path | None = None) -> str:
        """What a git command prints.

        Raises:
            EngineError: it fails, or there is no git.
        """
        program = shutil.which("git")
        if program is None:
            raise EngineError("git is not on PATH: the embedded engine uses the host's; install git")
        done = subprocess.run(
            [program, *args],
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            umask=0 if self.repository.local else 0o022,  # as Dagger's engine runs it
        )
        if done.returncode:
            said = done.stderr.strip()
            if "not our ref" in said or "unadvertised object" in said:
                raise EngineError(f"git error: sha fetch unsupported by remote: {said}")
            denied = ("could not read Username", "Authentication failed", "Permission denied", "403")
            kind = "authentication failed: " if any(mark in said for mark in denied) else ""
            raise EngineError(f"git error: {kind}exit status {done.returncode}: {said}")
        return done.stdout

    def remote(self) -> Remote:
        """What refs the repository has."""
        refs, head = {}, ""
        for line in self.run("ls-remote", "--symref", self.where).splitlines():
            value, _, name = line.partition("\t")
            if value.startswith("ref: ") and name == "HEAD":
                head = value.removeprefix("ref: ")
            else:
                refs[name] = value
        return Remote(refs, head)

    def tree(self, store: Store, ref: Ref, *, depth: int, bare: bool, tags: bool) -> Snapshot:
        """The files of a commit, with its ``.git`` unless ``bare``."""
        folder = store.scratch()
        try:
            self._check_out(folder, ref, depth=depth, tags=tags)
            if bare:
                layers.discard(folder / ".git")
            for path in (folder, *folder.rglob("*")):
                os.utime(path, ns=(_TIME_NS, _TIME_NS), follow_symlinks=False)
            return store.capture(folder, Snapshot(EMPTY), (0, 0))
        except BaseException:
            store.discard(folder)
            raise

    def _check_out(self, folder: Path, ref: Ref, *, depth: int, tags: bool) -> None:
        def git(*args: str) -> None:
            self.run(*args, cwd=folder)

        temporary = "refs/shipway/fetched"
        git("-c", "init.defaultBranch=main", "init", "--quiet")
        shallow = [f"--depth={depth}"] if depth > 0 else []
        tagged = ["--tags"] if tags else []
        source = ref.name or ref.commit
        git("fetch", "--quiet", "-u", *shallow, *tagged, self.where, f"+{source}:{temporary}")
        if ref.name:
            git("update-ref", ref.name, ref.commit)
        git("checkout", "--quiet", ref.name.removeprefix("refs/heads/") or ref.commit)
        git("reset", "--quiet", "--hard", ref.commit)
        if self.repository.url:
            git("remote", "add", "origin", self.repository.url)
        git("update-ref", "-d", temporary)
        git("reflog", "expire", "--all", "--expire=now")
        (folder / ".git" / "FETCH_HEAD").unlink(missing_ok=True)
        git("submodule", "update", "--init", "--recursive", "--depth=1")
        git("read-tree", "HEAD")

    def ancestor(self, store: Store, one: str, other: str) -> str:
        """The commit that two have in common, the nearest one."""
        folder = store.scratch()
        try:
            self.run("init", "--quiet", "--bare", cwd=folder)
            self.run("fetch", "--quiet", self.where, one, other, cwd=folder)
            return self.run("merge-base", one, other, cwd=folder).strip()
        finally:
            store.discard(folder)
