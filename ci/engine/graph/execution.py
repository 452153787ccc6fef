"""One step as a value: a command, the file systems it sees, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ci.engine.graph.container import Mount
from ci.engine.graph.files import Files
from ci.engine.graph.fingerprint import Digested, fingerprint
from ci.engine.graph.secret import Secret
from ci.engine.store.store import Snapshot

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.service import Service

#: Which exit codes each ReturnType takes for success (Dagger's API reference, "ReturnType").
EXPECTED = {
    "SUCCESS": frozenset((0,)),
    "FAILURE": frozenset((*range(1, 128), *range(192, 256))),
    "ANY": frozenset((*range(128), *range(192, 256))),
}


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

    def key(self, rootfs: Snapshot, mounts: tuple[Snapshot | None, ...]) -> str:
        """The cache key: the content of what goes in; secrets, services and volumes by name only."""
        seen = []
        for mount, snapshot in zip(self.mounts, mounts, strict=True):
            secret = mount.secret.name if mount.secret else None
            volume = mount.cache.digest if mount.cache else None
            tree = snapshot.tree if snapshot else None
            seen.append(
                (
                    mount.target,
                    mount.kind,
                    tree,
                    volume,
                    secret,
                    mount.owner,
                    mount.mode,
                    mount.size,
                    mount.readonly,
                )
            )
        return fingerprint(
            "exec-1",
            rootfs.tree,
            self.args,
            self.env,
            [(name, secret.name) for name, secret in self.secret_env],
            [name for name, _ in self.volatile_env],
            seen,
            [(alias, service.digest) for alias, service in self.services],
            (self.cwd, self.user, self.stdin),
            (self.redirect_stdin, self.redirect_stdout, self.redirect_stderr),
            (self.expect, self.privileged, self.init),
        )

    @property
    def title(self) -> str:
        """The command as one line, for people."""
        return " ".join(" ".join(self.args).split())


@dataclass(frozen=True)
class Result:
    """What a step gave: its exit code, its outputs (sha256 of their bytes), its file systems."""

    exit_code: int
    stdout: str
    stderr: str
    combined: str
    rootfs: Snapshot
    mounts: tuple[Snapshot | None, ...]
    cached: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the index keeps it."""
        return {
            "exit": self.exit_code,
            "out": [self.stdout, self.stderr, self.combined],
            "trees": [s and [s.tree, s.near] for s in (self.rootfs, *self.mounts)],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Result:
        """As the index kept it."""
        rootfs, *mounts = (Snapshot(*pair) if pair else None for pair in value["trees"])
        assert rootfs is not None
        return cls(value["exit"], *value["out"], rootfs, tuple(mounts), cached=True)


@dataclass(frozen=True)
class Output(Digested):
    """A file system that a step leaves behind: its root (-1) or one of its mounts."""

    step: Exec
    index: int = -1

    async def evaluate(self, evaluator: Evaluator) -> Snapshot:
        """Run the step, unless its result is known, and give the file system."""
        result = await evaluator.execute(self.step)
        snapshot = result.rootfs if self.index < 0 else result.mounts[self.index]
        assert snapshot is not None
        return snapshot
