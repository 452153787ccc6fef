"""The engine's index: listings, layers, where contents lie and what steps gave, in one SQLite file.

Several sessions share it. Rows are buffered and written in one transaction, nodes before what
refers to them, so that a kill at any instant leaves either all of a result or none of it.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS node (digest TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS layer (
    id INTEGER PRIMARY KEY, parent INTEGER, tree TEXT NOT NULL,
    depth INTEGER NOT NULL, boot TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS layer_by_tree ON layer (tree);
CREATE TABLE IF NOT EXISTS content (
    digest TEXT PRIMARY KEY, layer INTEGER NOT NULL, path TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, key)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One physical layer: the directory ``id`` on top of ``parent`` shows the file system ``tree``."""

    id: int
    parent: int | None
    tree: str
    depth: int


def boot_id() -> str:
    """This boot's name, as the kernel gives it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


class Index:
    """The SQLite file behind the store; safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "temp_store=MEMORY", "cache_size=-16000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)
        self._nodes: dict[str, bytes] = {}
        self._contents: dict[str, tuple[int, str]] = {}
        self._layers: dict[int, LayerRow] = {}

    def close(self) -> None:
        """Write what is buffered and close the file."""
        with self._lock:
            self.flush()
            self._db.close()

    def flush(self) -> None:
        """Write the buffered nodes and content locations."""
        with self._lock:
            if self._nodes or self._contents:
                with self._transaction():
                    pass

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction that first writes what is buffered; undone as a whole on an error."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT OR IGNORE INTO node VALUES (?, ?)", self._nodes.items())
                self._db.executemany(
                    "INSERT OR REPLACE INTO content VALUES (?, ?, ?)",
                    [(digest, layer, path) for digest, (layer, path) in self._contents.items()],
                )
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            self._nodes.clear()
            self._contents.clear()

    def node(self, digest: str) -> bytes:
        """The stored bytes of a listing; KeyError when there is none."""
        with self._lock:
            pending = self._nodes.get(digest)
            if pending is not None:
                return pending
            row = self._db.execute("SELECT data FROM node WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise KeyError(digest)
        data: bytes = row[0]
        return data

    def add_node(self, digest: str, data: bytes) -> None:
        """Buffer a listing's bytes."""
        with self._lock:
            self._nodes[digest] = data

    def add_contents(self, layer: int, located: Iterable[tuple[str, str]]) -> None:
        """Buffer where contents lie: (sha256, path within the layer)."""
        with self._lock:
            for digest, path in located:
                self._contents[digest] = (layer, path)

    def content(self, digest: str) -> tuple[int, str] | None:
        """The layer and the path that hold the bytes with this sha256."""
        with self._lock:
            pending = self._contents.get(digest)
            if pending is not None:
                return pending
            row = self._db.execute("SELECT layer, path FROM content WHERE digest = ?", (digest,)).fetchone()
        return (int(row[0]), str(row[1])) if row else None

    def next_layer(self) -> int:
        """A number nobody else will use, for a directory that is renamed in place before its row exists."""
        with self._transaction() as db:
            row = db.execute("SELECT value FROM fact WHERE kind='counter' AND key='layer'").fetchone()
            number = int(row[0]) + 1 if row else 1
            db.execute(
                "INSERT OR REPLACE INTO fact (kind, key, value) VALUES ('counter', 'layer', ?)",
                (str(number),),
            )
        return number

    def add_layer(self, row: LayerRow, located: Iterable[tuple[str, str]] = ()) -> None:
        """Record a layer whose directory is in place, with the contents it holds."""
        with self._lock:
            self.add_contents(row.id, located)
            with self._transaction() as db:
                db.execute(
                    "INSERT INTO layer (id, parent, tree, depth, boot) VALUES (?, ?, ?, ?, ?)",
                    (row.id, row.parent, row.tree, row.depth, boot_id()),
                )
            self._layers[row.id] = row

    def layer(self, number: int) -> LayerRow | None:
        """The layer with this number."""
        known = self._layers.get(number)
        if known is not None:
            return known
        with self._lock:
            row = self._db.execute(
                "SELECT id, parent, tree, depth FROM layer WHERE id = ?", (number,)
            ).fetchone()
        if row is None:
            return None
        found = LayerRow(*row)
        self._layers[number] = found
        return found

    def layer_showing(self, tree: str) -> LayerRow | None:
        """The shallowest layer that shows exactly this file system."""
        with self._lock:
            row = self._db.execute(
                "SELECT id, parent, tree, depth FROM layer WHERE tree = ? ORDER BY depth, id LIMIT 1", (tree,)
            ).fetchone()
        return LayerRow(*row) if row else None

    def last_layer(self) -> int:
        """The highest number of a recorded layer, 0 when there is none."""
        with self._lock:
            return int(self._db.execute("SELECT coalesce(max(id), 0) FROM layer").fetchone()[0])

    def layers_after(self, number: int) -> list[int]:
        """The recorded layers with a higher number."""
        with self._lock:
            return [row[0] for row in self._db.execute("SELECT id FROM layer WHERE id > ?", (number,))]

    def forget_layers(self, numbers: Iterable[int]) -> None:
        """Drop layers' rows and the content locations in them."""
        doomed = [(number,) for number in numbers]
        with self._transaction() as db:
            db.executemany("DELETE FROM layer WHERE id = ?", doomed)
            db.executemany("DELETE FROM content WHERE layer = ?", doomed)
        for (number,) in doomed:
            self._layers.pop(number, None)

    def fact(self, kind: str, key: str) -> Any:
        """What was recorded under ``kind`` and ``key`` (JSON), or None."""
        with self._lock:
            row = self._db.execute(
                "SELECT value FROM fact WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def record(self, kind: str, key: str, value: Any) -> None:
        """Record a JSON value, together with everything that is buffered, in one transaction."""
        text = json.dumps(value, separators=(",", ":"))
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO fact (kind, key, value) VALUES (?, ?, ?)", (kind, key, text))

    def forget(self, kind: str, key: str) -> None:
        """Drop what was recorded under ``kind`` and ``key``."""
        with self._lock:
            self._db.execute("DELETE FROM fact WHERE kind = ? AND key = ?", (kind, key))
