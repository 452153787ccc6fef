"""``Directory.dockerBuild``: a Dockerfile as the container that its instructions make.

Source of the rules: the Dockerfile reference. Every instruction becomes a lazy value, so stages that do not
depend on each other are built side by side, and those that nobody needs are not built.
"""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ci.engine.api.registry import Call, serves
from ci.engine.api.types import paths
from ci.engine.api.types.common import container_owner, selection, works
from ci.engine.api.types.container.image import from_
from ci.engine.api.types.container.run import with_exec
from ci.engine.api.types.directory import at
from ci.engine.api.types.dockerfile.config import configured
from ci.engine.api.types.dockerfile.mounts import Mounts
from ci.engine.dockerfile import Build, DockerfileError, Instruction, expanded, read, split, staged
from ci.engine.dockerfile.reader import parsed
from ci.engine.errors import EngineError
from ci.engine.graph.container import DEFAULT_PATH, Container, files_of
from ci.engine.graph.files import SCRATCH, Directory, Files, derive
from ci.engine.graph.host.socket import Socket
from ci.engine.graph.secret import Secret
from ci.engine.platform import host_platform, parsed_platform

_SHELL = ("/bin/sh", "-c")


@dataclass(slots=True)
class State:
    """A stage on its way: its container, the arguments in scope, and the shell of its shell forms."""

    container: Container
    arguments: dict[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = _SHELL
    has_command: bool = False

    @property
    def variables(self) -> Mapping[str, str]:
        """What may be referred to: the environment goes before arguments."""
        return {**self.arguments, **self.container.env}

    def words(self, each: Instruction) -> list[str]:
        """An instruction's words, variables put in."""
        words = each.words_in_json or split(each.rest, each.escape)
        return [expanded(word, self.variables, each.escape) for word in words]


@dataclass(slots=True)
class _Builder:
    """One build: its stages, where COPY copies from, and what it was given."""

    call: Call
    build: Build
    context: Directory
    given: Mapping[str, str]
    mounts: Mounts
    platform: str
    no_init: bool
    done: dict[int, Container] = field(default_factory=dict)

    async def stage(self, index: int) -> Container:
        """A stage's container."""
        if index not in self.done:
            stage = self.build.stages[index]
            state = State(await self._start(stage.base, stage.platform, index))
            triggers = state.container.config.onbuild
            state.container = state.container.with_config(onbuild=())
            for each in (*(parsed(text, 0) for text in triggers), *stage.instructions):
                await self._do(state, each)
            self.done[index] = replace(state.container, last=None, image_ref=None)
        return self.done[index]

    async def _start(self, base: str, platform: str, index: int) -> Container:
        before = self.build.named(base, index)
        if before is not None:
            return await self.stage(before)
        empty = Container(parsed_platform(platform) if platform else self.platform)
        if base != "scratch":
            return await from_(self.call, empty, address=base)
        return empty.with_env("PATH", DEFAULT_PATH).with_config(workdir="/")

    async def source(self, name: str | None) -> Files:
        """The file system that ``--from`` and ``from=`` name: the context, a stage or an image."""
        if name is None:
            return files_of(self.context)
        index = self.build.index(name)
        if index is not None:
            return (await self.stage(index)).rootfs
        image = await from_(self.call, Container(self.platform), address=name)
        return image.rootfs

    async def _do(self, state: State, each: Instruction) -> None:
        match each.keyword:
            case "ARG":
                self._arg(state, each)
            case "RUN":
                await self._run(state, each)
            case "COPY" | "ADD":
                await self._copy(state, each)
            case "WORKDIR":
                who = await container_owner(self.call, state.container, state.container.config.user)
                folder = state.container.absolute(expanded(each.rest, state.variables, each.escape))
                made = derive("make_directory", state.container.rootfs, path=folder, mode=0o755, owner=who)
                state.container = replace(state.container, rootfs=made).with_config(workdir=folder)
            case "SHELL":
                if not each.words_in_json:
                    raise each.error("SHELL requires the arguments to be in JSON form")
                state.shell = each.words_in_json
            case _:
                configured(state, each)

    def _arg(self, state: State, each: Instruction) -> None:
        for word in split(each.rest, each.escape):
            name, equals, default = word.partition("=")
            if name in self.given:
                state.arguments[name] = self.given[name]
            elif equals:
                state.arguments[name] = expanded(default, state.variables, each.escape)
            elif name in self.build.arguments:
                state.arguments[name] = self.build.arguments[name]

    async def _run(self, state: State, each: Instruction) -> None:
        if (each.flag("network") or "default") != "default":
            raise each.error(f"RUN --network={each.flag('network')} is not served by the embedded engine")
        before = state.container
        started = before
        for name, value in state.arguments.items():
            if name not in before.env:
                started = started.with_env(name, value)
        started = await self.mounts.put(started, each, state.variables, self.source)
        privileged = each.flag("security") == "insecure"
        ran = with_exec(
            self.call,
            started,
            args=list(_command(state, each)),
            insecure_root_capabilities=privileged,
            no_init=self.no_init,
        )
        state.container = replace(
            ran, config=before.config, mounts=before.mounts, secret_env=before.secret_env
        )

    async def _copy(self, state: State, each: Instruction) -> None:
        *sources, target = state.words(each) if not each.heredocs else _words_beside(state, each)
        if not sources and not each.heredocs:
            raise each.error(f"{each.keyword} requires at least two arguments, but only one was provided")
        place = state.container.absolute(target)
        if target in {".", "./"} or target.endswith("/"):
            place = place.rstrip("/") + "/"
        if any("://" in source or source.startswith("git@") for source in sources):
            raise each.error(
                "ADD of an address is not served by the embedded engine: RUN curl, or use http()"
            )
        _served(each, {"from", "chown", "chmod", "exclude", "link", "checksum"})
        mode = each.flag("chmod")
        options: dict[str, Any] = {
            "target": place,
            "owner": expanded(each.flag("chown") or "", state.variables) or None,
            "mode": int(mode, 8) if mode else None,
            "selection": selection(None, [value for name, value in each.flags if name == "exclude"]),
        }
        rootfs = state.container.rootfs
        if sources:
            given = await self.source(expanded(each.flag("from") or "", state.variables) or None)
            rootfs = derive(
                "copied_in",
                rootfs,
                given,
                sources=tuple(posixpath.normpath("/" + source) for source in sources),
                unpack=each.keyword == "ADD",
                **options,
            )
        for document in each.heredocs:
            text = document.text if document.literal else _put_in(document.text, state)
            made = self._file(document.name, text)
            rootfs = derive("copied_in", rootfs, made, sources=(f"/{document.name}",), **options)
        state.container = replace(state.container, rootfs=rootfs, last=None)

    def _file(self, name: str, text: str) -> Files:
        digest, _ = works(self.call).store.keep(text.encode("utf-8", "surrogateescape"))
        return derive("new_file", SCRATCH, path=f"/{name}", content=digest, mode=0o644, owner=None)


def _served(each: Instruction, known: set[str]) -> None:
    for name, _ in each.flags:
        if name not in known:
            raise each.error(f"{each.keyword} --{name} is not served by the embedded engine")


def _words_beside(state: State, each: Instruction) -> list[str]:
    """The words of a COPY that are no here-documents."""
    words = [word for word in split(each.rest, each.escape) if not word.startswith("<<")]
    return [expanded(word, state.variables, each.escape) for word in words]


def _put_in(text: str, state: State) -> str:
    # Quotes in a here-document are text like any other.
    quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')
    return expanded(quoted.replace("\\\\$", "\\$"), state.variables)


def _command(state: State, each: Instruction) -> tuple[str, ...]:
    """What RUN runs: in JSON form the words, else a shell with the text, here-documents behind it."""
    if each.words_in_json is not None:
        return each.words_in_json
    if not each.heredocs:
        return (*state.shell, each.rest)
    first = each.heredocs[0]
    if each.rest.startswith("<<") and len(split(each.rest)) == 1:
        if first.text.startswith("#!"):
            interpreter = first.text[2:].partition("\n")[0].split()
            return (*interpreter, "-c", first.text) if interpreter else (*state.shell, first.text)
        return (*state.shell, first.text)
    documents = "".join(f"{document.text}{document.name}\n" for document in each.heredocs)
    return (*state.shell, f"{each.rest}\n{documents}")


async def _text(call: Call, directory: Directory, name: str) -> str | None:
    entry = await paths.find(call, directory.files, at(directory, name))
    return works(call).store.read(entry.digest).decode(errors="replace") if entry is not None else None


async def _context(call: Call, directory: Directory, dockerfile: str) -> Directory:
    """The directory without what its .dockerignore leaves out."""
    text = await _text(call, directory, f"{dockerfile}.dockerignore")
    if text is None:
        text = await _text(call, directory, ".dockerignore")
    rules = [line.strip() for line in (text or "").splitlines()]
    left_out = [_rooted(rule) for rule in rules if rule and not rule.startswith("#")]
    if not left_out:
        return directory
    kept = derive("filtered", directory.files, path=directory.path, selection=selection(None, left_out))
    return Directory(kept)


def _rooted(rule: str) -> str:
    exception = "!" if rule.startswith("!") else ""
    return exception + posixpath.normpath(rule.removeprefix("!").strip()).lstrip("/")


def _automatic(target: str) -> dict[str, str]:
    """The arguments that are there without being given."""
    found: dict[str, str] = {}
    for side, platform in (("TARGET", target), ("BUILD", host_platform())):
        system, architecture, variant, *_ = (*platform.split("/"), "", "")
        found |= {f"{side}PLATFORM": platform, f"{side}OS": system, f"{side}ARCH": architecture}
        found[f"{side}VARIANT"] = variant
    return found


@serves("Directory")
async def docker_build(
    call: Call,
    parent: Directory,
    *,
    dockerfile: str = "Dockerfile",
    platform: str | None = None,
    build_args: list[dict[str, str]] | None = None,
    target: str = "",
    secrets: list[Secret] | None = None,
    no_init: bool = False,
    ssh: Socket | None = None,
) -> Container:
    """The container that a Dockerfile in it makes."""
    wanted = parsed_platform(platform) if platform else host_platform()
    text = await _text(call, parent, dockerfile)
    if text is None:
        missing = f"open {posixpath.join('/', dockerfile)}: no such file or directory"
        raise EngineError(f'failed to read Dockerfile "{dockerfile}": {missing}')
    given = {argument["name"]: argument["value"] for argument in build_args or ()}
    build = staged(read(text), given, _automatic(wanted))
    context = await _context(call, parent, dockerfile)
    mounts = Mounts(call, tuple(secrets or ()), ssh)
    builder = _Builder(call, build, context, given, mounts, wanted, no_init)
    try:
        return await builder.stage(build.target(target))
    except RecursionError:
        raise DockerfileError("the stages of the Dockerfile need each other in a circle") from None
