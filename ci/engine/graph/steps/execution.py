"""One step as a value: a command, the file systems it sees, and what it leaves behind."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ci.engine.graph.container import Mount
from ci.engine.graph.files import Files
from ci.engine.graph.fingerprint import Digested, fingerprint
from ci.engine.graph.secret import Secret
from ci.engine.store.tree import Snapshot

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.serving.service import Service

#: Which exit codes each ReturnType takes for success (Dagger's API reference, "ReturnType").
EXPECTED = {
    "SUCCESS": frozenset((0,)),
    "FAILURE": frozenset((*range(1, 128), *range(192, 256))),
    "ANY": frozenset((*range(128), *range(192, 256))),
}


#: Mode, uid and gid of a directory.
Top = tuple[int, int, int]
#: What a directory is like that nobody said otherwise of.
PLAIN: Top = (0o755, 0, 0)


@dataclass(frozen=True)
class Exec(Digested):
    """A command to run; ``env`` is sorted, ``user`` as the container has it ("" is root)."""

    rootfs: Files
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    secret_env: tuple[tuple[str, Secret], ...] = ()
    volatile_env: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    services: tuple[tuple[str, Service], ...] = ()
    cwd: str = "/"
    user: str = ""
    stdin: str = ""
    redirect_stdin: str = ""
    redirect_stdout: str = ""
    redirect_stderr: str = ""
    expect: str = "SUCCESS"
    privileged: bool = False
    init: bool = True
    nesting: bool = False

    def key(self, given: Given) -> str:
        """The cache key: the content of what goes in; secrets and volumes by name only."""
        seen = [
            (
                (mount.target, mount.kind, mount.owner, mount.mode, mount.size, mount.readonly),
                given.mounts[index].tree if index in given.mounts else None,
                mount.cache.digest if mount.cache else None,
                mount.secret.name if mount.secret else None,
                given.tops.get(index, PLAIN),
            )
            for index, mount in enumerate(self.mounts)
        ]
        return fingerprint(
            "exec-2",
            given.rootfs.tree,
            self.args,
            self.env,
            [(name, secret.name) for name, secret in self.secret_env],
            [name for name, _ in self.volatile_env],
            seen,
            [(alias, given.services[alias]) for alias, _ in self.services],
            (self.cwd, self.user, self.stdin),
            (self.redirect_stdin, self.redirect_stdout, self.redirect_stderr),
            (self.expect, self.privileged, self.init, self.nesting),
        )

    @property
    def title(self) -> str:
        """The command as one line, for people, quoted as a shell wants it."""
        return shlex.join(self.args).replace("\n", "\\n")


@dataclass(frozen=True)
class Given:
    """The file systems that a step starts from: its root, and those of its mounts by their position.

    ``services`` are the keys of those that it is bound to, by alias; ``tops`` what the mounted directories
    themselves are like.
    """

    rootfs: Snapshot
    mounts: Mapping[int, Snapshot]
    services: Mapping[str, str]
    tops: Mapping[int, Top] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What a step gave: its exit code, its outputs (sha256 of their bytes), its file systems."""

    exit_code: int
    stdout: str
    stderr: str
    combined: str
    rootfs: Snapshot
    mounts: Mapping[int, Snapshot]

    def to_json(self) -> dict[str, Any]:
        """As the index keeps it."""
        return {
            "exit": self.exit_code,
            "out": [self.stdout, self.stderr, self.combined],
            "rootfs": [self.rootfs.tree, self.rootfs.near],
            "mounts": [[index, found.tree, found.near] for index, found in self.mounts.items()],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Result:
        """As the index kept it."""
        stdout, stderr, combined = value["out"]
        mounts = {index: Snapshot(tree, near) for index, tree, near in value["mounts"]}
        return cls(value["exit"], stdout, stderr, combined, Snapshot(*value["rootfs"]), mounts)


@dataclass(frozen=True)
class Output(Digested):
    """A file system that a step leaves behind: its root (-1) or one of its mounts."""

    step: Exec
    index: int = -1

    async def evaluate(self, evaluator: Evaluator) -> Snapshot:
        """Run the step, unless its result is known, and give the file system."""
        result = await evaluator.execute(self.step)
        return result.rootfs if self.index < 0 else result.mounts[self.index]
