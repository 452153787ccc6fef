"""What is reached from a result, a lease or an image's name: listings, contents, layers and blobs."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ci.engine.store.blobs import Blobs
from ci.engine.store.tree import DIRECTORY, REGULAR, decode

DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
#: No image manifest or index is larger (bytes); other JSON is not looked into.
_MANIFEST = 4 << 20


@dataclass(slots=True)
class Reach:
    """All that has been reached so far; ``size`` is what it takes on disk, in bytes.

    ``there`` are the blobs on disk, by digest, with their sizes: those that come later are not looked for.
    """

    database: sqlite3.Connection
    blobs: Blobs
    there: dict[str, int]
    size: int = 0
    nodes: set[str] = field(default_factory=set)
    layers: set[int] = field(default_factory=set)
    contents: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    _added: list[tuple[set[Any], Any, int]] = field(default_factory=list)

    def begin(self) -> None:
        """From here on what is added can be taken back."""
        self._added.clear()

    def undo(self) -> None:
        """Take back what was added since ``begin``."""
        for where, what, size in self._added:
            where.discard(what)
            self.size -= size
        self._added.clear()

    def _add(self, where: set[Any], what: Any, size: int) -> None:
        where.add(what)
        self.size += size
        self._added.append((where, what, size))

    def digest(self, digest: str) -> None:
        """Reach a file system, a text, a file's bytes or a blob: whatever has this sha256 (hex)."""
        self._tree(digest)
        row = self.database.execute(
            "SELECT id FROM layer WHERE tree = ? ORDER BY depth, id LIMIT 1", (digest,)
        ).fetchone()
        if row is not None:
            self.layer(row[0])
        self._content(digest)
        self._node(f"text:{digest}")

    def layer(self, number: int | None) -> None:
        """Reach a layer and all below it."""
        while number is not None and number not in self.layers:
            row = self.database.execute("SELECT parent, size FROM layer WHERE id = ?", (number,)).fetchone()
            if row is None:
                return
            self._add(self.layers, number, row[1])
            number = row[0]

    def image(self, digest: str) -> None:
        """Reach a manifest ("sha256:...") and the blobs that it names."""
        pending = [digest]
        while pending:
            name = pending.pop()
            if name in self.held or name not in self.there:
                continue
            self._add(self.held, name, self.there[name])
            if self.there[name] <= _MANIFEST:
                data = self._small(name)
                if data.startswith(b"{") and b'"schemaVersion"' in data:
                    pending += re.findall(r"sha256:[0-9a-f]{64}", data.decode(errors="replace"))

    def fact(self, value: Any, text: str) -> None:
        """Reach what a fact names: digests, and the layers that file systems are near to."""
        tree = value.get("tree") if isinstance(value, dict) else None
        for digest in [tree] if isinstance(tree, str) else DIGEST.findall(text):
            self.digest(digest)
        for number in _near(value):
            self.layer(number)

    def _node(self, digest: str) -> bytes | None:
        if digest in self.nodes:
            return None
        row = self.database.execute("SELECT data FROM node WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            return None
        self._add(self.nodes, digest, len(row[0]))
        data: bytes = row[0]
        return data

    def _tree(self, digest: str) -> None:
        pending = [digest]
        while pending:
            data = self._node(pending.pop())
            if data is None:
                continue
            try:
                listing = decode(data).values()
            except (ValueError, TypeError):  # damaged: whoever reads it finds out
                continue
            pending += [entry.digest for entry in listing if entry.kind == DIRECTORY]
            for entry in listing:
                if entry.kind == REGULAR:
                    self._content(entry.digest)

    def _content(self, digest: str) -> None:
        if digest in self.contents:
            return
        self._add(self.contents, digest, 0)
        row = self.database.execute("SELECT layer FROM content WHERE digest = ?", (digest,)).fetchone()
        if row is not None:
            self.layer(row[0])
        name = f"sha256:{digest}"
        if name in self.there and name not in self.held:
            self._add(self.held, name, self.there[name])

    def _small(self, name: str) -> bytes:
        try:
            return self.blobs.path(name).read_bytes()
        except FileNotFoundError:  # found damaged by somebody, and dropped
            return b""


def _near(value: Any) -> Iterator[int]:
    """The layers that a fact's snapshots are near to: the number after a tree's digest, or ``near``."""
    if isinstance(value, dict):
        if isinstance(value.get("near"), int):
            yield value["near"]
        if not isinstance(value.get("tree"), str):
            for item in value.values():
                yield from _near(item)
    elif isinstance(value, list):
        for before, item in pairwise(value):
            if isinstance(before, str) and isinstance(item, int) and DIGEST.fullmatch(before):
                yield item
        for item in value:
            if isinstance(item, dict | list):
                yield from _near(item)


def loads(text: str) -> Any:
    """A fact's value; None when it is damaged."""
    try:
        return json.loads(text)
    except ValueError:
        return None
