"""``RUN --mount`` of a Dockerfile: caches, secrets, files of the context or of a stage, memory, SSH.

Source of the rules: the Dockerfile reference, "RUN --mount".
"""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from ci.engine.api.registry import Call
from ci.engine.api.types.common import works
from ci.engine.dockerfile import Instruction, expanded
from ci.engine.graph.container import Container, Mount, file_alone, files_of
from ci.engine.graph.files import Directory, File, Files
from ci.engine.graph.host.socket import Socket
from ci.engine.graph.secret import Secret
from ci.engine.graph.steps.users import Owner
from ci.engine.graph.volume import CacheVolume
from ci.engine.store import algebra
from ci.engine.store.tree import DIRECTORY

Source = Callable[[str | None], Awaitable[Files]]
_TRUE = frozenset(("", "true", "1"))


@dataclass(frozen=True, slots=True)
class Mounts:
    """What mounts may refer to: the build's secrets, by name, and its SSH agent."""

    call: Call
    secrets: tuple[Secret, ...]
    ssh: Socket | None

    async def put(
        self, container: Container, each: Instruction, variables: Mapping[str, str], source: Source
    ) -> Container:
        """The container with everything that an instruction mounts; ``source`` gives what ``from=`` names.

        Raises:
            DockerfileError: a mount makes no sense, or needs what was not given.
        """
        for name, text in each.flags:
            if name == "mount":
                options = _options(expanded(text, variables))
                container = await self._mounted(container, each, options, source)
        return container

    async def _mounted(
        self, container: Container, each: Instruction, options: Mapping[str, str], source: Source
    ) -> Container:
        kind = options.get("type", "bind")
        if kind == "secret":
            return self._secret(container, each, options)
        if kind == "ssh":
            return self._agent(container, each, options)
        if "target" not in options:
            raise each.error(f"RUN --mount=type={kind} requires a target")
        target = container.absolute(options["target"]).rstrip("/") or "/"
        if kind == "cache":
            sharing = options.get("sharing", "shared").upper()
            volume = CacheVolume(f"dockerfile:{options.get('id') or target}", sharing=sharing)
            return container.with_mount(
                Mount(target, "cache", cache=volume, owner=_owner(options), sharing=sharing)
            )
        if kind == "tmpfs":
            size = options.get("size")
            return container.with_mount(Mount(target, "tmpfs", size=int(size) if size else None))
        if kind != "bind":
            raise each.error(f"RUN --mount=type={kind} is not a kind of mount")
        return await self._bound(container, target, options, source)

    async def _bound(
        self, container: Container, target: str, options: Mapping[str, str], source: Source
    ) -> Container:
        files = await source(options.get("from"))
        path = posixpath.normpath("/" + options.get("source", ""))
        evaluator = works(self.call).evaluator
        found = algebra.lookup(evaluator.store.trees, (await evaluator.evaluate(files)).tree, path)
        readonly = not any(options.get(name) in _TRUE for name in ("rw", "readwrite"))
        if path == "/" or (found is not None and found.kind == DIRECTORY):
            return container.with_mount(
                Mount(target, "directory", files_of(Directory(files, path)), readonly=readonly)
            )
        return container.with_mount(Mount(target, "file", file_alone(File(files, path)), readonly=readonly))

    def _secret(self, container: Container, each: Instruction, options: Mapping[str, str]) -> Container:
        name = options.get("id") or posixpath.basename(options.get("target", ""))
        secret = next((known for known in self.secrets if known.name == name), None)
        if secret is None:
            if options.get("required") in _TRUE:
                raise each.error(f"secret {name}: not found")
            return container
        variable = options.get("env")
        if variable:
            container = replace(container, secret_env=(*container.secret_env, (variable, secret)))
            if "target" not in options:
                return container
        target = container.absolute(options.get("target") or f"/run/secrets/{name}")
        mode = int(options.get("mode", "0400"), 8)
        mount = Mount(target, "secret", secret=secret, owner=_owner(options), mode=mode)
        return container.with_mount(mount)

    def _agent(self, container: Container, each: Instruction, options: Mapping[str, str]) -> Container:
        if self.ssh is None:
            if options.get("required") in _TRUE:
                raise each.error("no SSH agent was given: pass ssh to dockerBuild")
            return container
        target = options.get("target") or "/run/buildkit/ssh_agent.0"
        mount = Mount(target, "socket", socket=self.ssh.path, owner=_owner(options))
        return container.with_env("SSH_AUTH_SOCK", target).with_mount(mount)


def _options(text: str) -> dict[str, str]:
    found = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        same = {"dst": "target", "destination": "target", "src": "source", "ro": "readonly"}
        found[same.get(name.strip(), name.strip())] = value.strip()
    return found


def _owner(options: Mapping[str, str]) -> Owner | None:
    if "uid" not in options and "gid" not in options:
        return None
    return Owner(int(options.get("uid", "0")), int(options.get("gid", "0")))
