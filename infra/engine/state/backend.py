"""Pulumi's file backend.

Where checkpoints, history, backups and locks are in ``.pulumi`` (pkg/backend/diy).
"""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from infra.engine.state import files, gojson, integrity, reference, serialize
from infra.engine.state.errors import CorruptError, NoSuchStackError, StackExistsError, StateError
from infra.engine.state.locks import Locks
from infra.engine.state.reference import Reference

BOOKKEEPING = ".pulumi"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint as it is stored.

    ``deployment`` is DeploymentV3 as JSON, None before anything was deployed.
    """

    version: int = 3
    features: tuple[str, ...] = ()
    deployment: dict[str, Any] | None = None

    @classmethod
    def of(cls, deployment: dict[str, Any] | None, features: Collection[str]) -> Self:
        """A checkpoint whose reader has to know these features: version 4, if there are any."""
        return cls(4 if features else 3, tuple(sorted(features)), deployment)


def is_truthy(text: str | None) -> bool:
    """Whether an environment variable's value says yes."""
    return (text or "").lower() in {"1", "true", "t", "yes", "y"}


def folder_of(url: str) -> Path:
    """The folder that a ``file://`` URL names, ``~`` expanded. Raises StateError for any other URL."""
    scheme = urlsplit(url).scheme
    if scheme != "file":
        raise StateError(
            f"unable to open state store {url}: the embedded engine keeps state in files alone;"
            " use `pulumi login file://PATH`, or install the Pulumi CLI for other backends"
        )
    path = url.removeprefix("file://").split("?")[0]
    return Path(os.path.abspath(Path(path).expanduser() if path.startswith("~") else path))


class Backend:
    """One folder of stacks. Raises StateError when the folder can't be a backend.

    ``url`` is as the user gave it; ``variables`` are the process's environment.
    """

    def __init__(self, url: str, variables: Mapping[str, str]) -> None:
        self.url = url
        self.root = folder_of(url)
        self.warning = ""
        if not self.root.is_dir():
            raise StateError(
                f"unable to open state store {url}: the folder {self.root} does not exist: make it, or log in"
                " to another with `pulumi login file://PATH`"
            )
        self._gzip = is_truthy(variables.get("PULUMI_DIY_BACKEND_GZIP"))
        self._backups = not is_truthy(variables.get("PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS"))
        self.legacy = self._layout(variables) == 0
        if self.legacy and not is_truthy(variables.get("PULUMI_DIY_BACKEND_IGNORE_DEPRECATION_ERROR")):
            self.warning = (
                "this state has the old layout, without projects, which newer versions of Pulumi refuse;"
                " `pulumi state upgrade` moves it to the new one"
            )

    def _layout(self, variables: Mapping[str, str]) -> int:
        meta = self.root / BOOKKEEPING / "meta.yaml"
        if meta.exists():
            return _meta_version(meta)
        stacks = self.root / BOOKKEEPING / "stacks"
        old = (
            any(_stack_of(file) for file in stacks.iterdir() if file.is_file()) if stacks.is_dir() else False
        )
        if old or is_truthy(variables.get("PULUMI_DIY_BACKEND_LEGACY_LAYOUT")):
            return 0
        files.write_blob(meta, b"version: 1\n", durable=False)
        return 1

    def parse(self, text: str, current_project: str | None) -> Reference:
        """The stack that ``text`` names."""
        return reference.parse(text, current_project, legacy=self.legacy)

    def stacks(self) -> list[Reference]:
        """All stacks, in order of project and name."""
        stacks = self.root / BOOKKEEPING / "stacks"
        pattern = "*" if self.legacy else "*/*"
        found = ((file, _stack_of(file)) for file in stacks.glob(pattern) if file.is_file())
        return sorted(
            {Reference("" if self.legacy else file.parent.name, name) for file, name in found if name}
        )

    def path(self, stack: Reference) -> Path:
        """The stack's checkpoint file: as it is, or as it would be made."""
        base = self._folder("stacks", stack)
        plain, packed = base.with_name(base.name + ".json"), base.with_name(base.name + ".json.gz")
        there = [file for file in (plain, packed) if file.exists()]
        if there:
            return max(there, key=lambda file: file.stat().st_mtime_ns)
        return packed if self._gzip else plain

    def journal_path(self, stack: Reference) -> Path:
        """The journal that runs ahead of a large checkpoint while an update is under way."""
        base = self._folder("stacks", stack)
        return base.with_name(base.name + ".journal")

    def exists(self, stack: Reference) -> bool:
        """Whether there is such a stack."""
        return self.path(stack).exists()

    def locks(self, stack: Reference) -> Locks:
        """The stack's locks."""
        folder = Path(BOOKKEEPING, "locks", *stack.qualified.split("/"))
        return Locks(self.root / folder, f"file://{self.root / folder}")

    def create(self, stack: Reference) -> None:
        """Make a stack with nothing in it. Raises StackExistsError."""
        with self.locks(stack).hold():
            if self.exists(stack):
                raise StackExistsError(f"stack '{stack.qualified}' already exists")
            self.write(stack, Checkpoint(0))

    def read(self, stack: Reference) -> Checkpoint:
        """The stack's checkpoint, with what a journal adds to it.

        Raises NoSuchStackError and CorruptError.
        """
        from infra.engine.state.ledger import folded

        path = self.path(stack)
        try:
            raw = path.read_bytes()
        except FileNotFoundError as error:
            raise NoSuchStackError(f"no stack named '{stack.name}' found") from error
        checkpoint = _parsed(raw, path)
        journal = self.journal_path(stack)
        if serialize.JOURNAL_FEATURE in checkpoint.features:
            deployment = folded(raw, checkpoint.deployment or {}, journal)
            checkpoint = Checkpoint.of(deployment, set(checkpoint.features) - {serialize.JOURNAL_FEATURE})
        return checkpoint

    def write(self, stack: Reference, checkpoint: Checkpoint) -> Path:
        """Write the checkpoint, the one before it kept as ``.bak``; returns the file."""
        body: dict[str, Any] = {"stack": stack.qualified}
        if checkpoint.deployment is not None:
            body["latest"] = checkpoint.deployment
        document: dict[str, Any] = {"version": checkpoint.version}
        if checkpoint.features:
            document["features"] = list(checkpoint.features)
        document["checkpoint"] = body
        self.back_up(stack)
        return self.write_text(stack, gojson.dumps(document))

    def write_text(self, stack: Reference, text: str) -> Path:
        """Write a checkpoint that is text already."""
        before = self.path(stack)
        base = self._folder("stacks", stack)
        path = base.with_name(base.name + (".json.gz" if self._gzip else ".json"))
        files.write_blob(path, self.packed(text))
        if before != path:
            files.remove_blob(before)
        return path

    def packed(self, text: str) -> bytes:
        """The bytes of a file that holds ``text``: compressed, if PULUMI_DIY_BACKEND_GZIP asks for that."""
        content = text.encode()
        return gzip.compress(content, mtime=0) if self._gzip else content

    def back_up(self, stack: Reference) -> None:
        """Keep the checkpoint as it is now as ``.bak``."""
        path = self.path(stack)
        if path.exists():
            files.copy_blob(path, path.with_name(path.name + ".bak"))

    def remove(self, stack: Reference, *, force: bool = False, keep_backups: bool = True) -> None:
        """Remove a stack and its history. Raises StateError if it has resources and ``force`` is not set."""
        with self.locks(stack).hold():
            deployment = {} if force else self.read(stack).deployment or {}
            resources = deployment.get("resources") or []
            if len(resources) > 1 or any(item["type"] != "pulumi:pulumi:Stack" for item in resources):
                raise StateError("refusing to remove stack because it still contains resources")
            path = self.path(stack)
            if keep_backups:
                self.back_up(stack)
            else:
                files.remove_blob(path.with_name(path.name + ".bak"))
                _remove_tree(self._folder("backups", stack))
            files.remove_blob(path)
            self.journal_path(stack).unlink(missing_ok=True)
            files.remove_blob(self._tags_path(stack))
            _remove_tree(self._folder("history", stack))

    def rename(self, old: Reference, new: Reference) -> None:
        """Give a stack another name; its resources' URNs, history and tags follow."""
        from infra.engine.state.edit import renamed

        with self.locks(old).hold():
            if self.exists(new):
                raise StackExistsError(f"a stack named {new.qualified} already exists")
            checkpoint = self.read(old)
            if checkpoint.deployment is not None:
                checkpoint = replace(checkpoint, deployment=renamed(checkpoint.deployment, old, new))
            self.write(new, checkpoint)
            self.back_up(old)
            files.remove_blob(self.path(old))
            self._rename_history(old, new)

    def _rename_history(self, old: Reference, new: Reference) -> None:
        source = self._folder("history", old)
        for entry in sorted(source.glob(f"{old.name}-*")) if source.is_dir() else ():
            stem, _, rest = entry.name.rpartition("-")
            if stem == old.name:
                target = self._folder("history", new) / f"{new.name}-{rest}"
                target.parent.mkdir(parents=True, exist_ok=True)
                entry.rename(target)

    def add_history(self, stack: Reference, update: Mapping[str, Any]) -> None:
        """Add an update (backend.UpdateInfo as JSON) to the history, with the checkpoint that it left."""
        folder = self._folder("history", stack)
        stem = f"{stack.name}-{time.time_ns()}"
        ending = ".gz" if self._gzip else ""
        entry = self.packed(gojson.dumps(update))
        files.write_blob(folder / f"{stem}.history.json{ending}", entry, durable=False)
        path = self.path(stack)
        files.copy_blob(path, folder / f"{stem}.checkpoint.json{ending}")
        if self._backups:
            name = path.name.removeprefix(stack.name)
            files.copy_blob(path, self._folder("backups", stack) / f"{stack.name}.{time.time_ns()}{name}")

    def history(self, stack: Reference) -> list[dict[str, Any]]:
        """The stack's updates, the latest first."""
        folder = self._folder("history", stack)
        entries = (
            [*folder.glob("*.history.json"), *folder.glob("*.history.json.gz")] if folder.is_dir() else []
        )
        return [_unpacked(entry.read_bytes(), entry) for entry in sorted(entries, reverse=True)]

    def tags(self, stack: Reference) -> dict[str, str]:
        """The stack's tags."""
        path = self._tags_path(stack)
        return dict(json.loads(path.read_bytes()).get("tags") or {}) if path.exists() else {}

    def set_tags(self, stack: Reference, tags: Mapping[str, str]) -> None:
        """Replace the stack's tags."""
        path = self._tags_path(stack)
        if tags:
            document = {"version": 1, "tags": dict(sorted(tags.items()))}
            files.write_blob(path, gojson.dumps(document).encode())
        else:
            files.remove_blob(path)

    def _tags_path(self, stack: Reference) -> Path:
        base = self._folder("stacks", stack)
        return base.with_name(base.name + ".pulumi-tags")

    def _folder(self, kind: str, stack: Reference) -> Path:
        return self.root.joinpath(BOOKKEEPING, kind, *(part for part in (stack.project, stack.name) if part))


def _meta_version(meta: Path) -> int:
    import yaml

    try:
        version = (yaml.safe_load(meta.read_bytes()) or {}).get("version")
    except (yaml.YAMLError, AttributeError) as error:
        raise CorruptError(f'corrupt store: unmarshal "{meta}": {error}') from error
    if version is None:
        raise CorruptError(f'corrupt store: missing version in "{meta}"')
    if version not in {0, 1}:
        raise StateError(
            f"state store unsupported: 'meta.yaml' version ({version}) is not supported by this version"
            " of the Pulumi CLI"
        )
    return int(version)


def _stack_of(file: Path) -> str:
    """The name of the stack whose checkpoint ``file`` is, empty if it is none."""
    name = file.name.removesuffix(".gz")
    return name.removesuffix(".json") if name.endswith(".json") and not name.startswith(".") else ""


def _remove_tree(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _unpacked(raw: bytes, path: Path) -> dict[str, Any]:
    try:
        parsed: Any = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        value = dict(parsed.items())
    except (ValueError, AttributeError, EOFError, OSError) as error:
        backup = path.with_name(path.name + ".bak")
        remedy = (
            f"the checkpoint before it is {backup}: copy it over {path.name}"
            if backup.exists()
            else (
                "restore it from a backup, or from `pulumi stack export` of another day with `pulumi"
                " stack import`"
            )
        )
        raise CorruptError(
            f"failed to load checkpoint: {path} was half written or changed by hand ({error}); "
            f"{remedy}, then run `pulumi refresh`"
        ) from error
    return value


def _parsed(raw: bytes, path: Path) -> Checkpoint:
    document = _unpacked(raw, path)
    version, features = document.get("version", 0), tuple(document.get("features") or ())
    body = document if version == 0 and "checkpoint" not in document else document.get("checkpoint") or {}
    if version == 0 and "latest" not in body:
        return Checkpoint(0)
    serialize.check_version(version or 1, features)
    deployment = body.get("latest")
    if deployment is None:
        return Checkpoint(max(version, 3), features)
    wrong = None if serialize.JOURNAL_FEATURE in features else integrity.fault(deployment)
    if wrong is not None:
        raise CorruptError(f"snapshot integrity failure; refusing to use it: {wrong} (in {path})")
    return Checkpoint(max(version, 3), features, deployment)
