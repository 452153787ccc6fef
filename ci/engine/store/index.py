"""The engine's index: listings, layers, where contents lie and what steps gave, in one SQLite file.

Several sessions share it. Rows are buffered and written in one transaction, nodes before what
refers to them, so that a kill at any instant leaves either all of a result or none of it. Listings and
facts carry a checksum: one that a flipped bit has changed is dropped when it is read.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.engine.errors import EngineError
from ci.engine.store.leases import Lease

_SCHEMA = """
CREATE TABLE IF NOT EXISTS node (
    digest TEXT PRIMARY KEY, data BLOB NOT NULL, sum BLOB NOT NULL, session INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS layer (
    id INTEGER PRIMARY KEY, parent INTEGER, tree TEXT NOT NULL,
    depth INTEGER NOT NULL, seal TEXT, size INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS layer_by_tree ON layer (tree);
CREATE TABLE IF NOT EXISTS content (
    digest TEXT PRIMARY KEY, layer INTEGER NOT NULL, path TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS content_by_layer ON content (layer);
CREATE TABLE IF NOT EXISTS fact (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, sum BLOB NOT NULL,
    made INTEGER NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
"""
_FACT = "INSERT OR REPLACE INTO fact (kind, key, value, sum, made, used) VALUES (?, ?, ?, ?, ?, ?)"
_NODE = "INSERT INTO node VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET session = excluded.session"
_LAYER = "SELECT id, parent, tree, depth, seal, size FROM layer"
#: So many listings are written together, with what refers to them or before it.
_BUFFERED = 2_000
#: The time of a fact's last use is written anew when it is this much out of date (seconds).
_STALE = 60


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One physical layer: the directory ``id`` on top of ``parent`` shows the file system ``tree``.

    ``seal`` tells whether it is still as it was written, ``size`` is what it takes on disk in bytes.
    """

    id: int
    parent: int | None
    tree: str
    depth: int
    seal: str | None = None
    size: int = 0


class BrokenIndex(EngineError):
    """The index is damaged as a whole; the next session starts a new one."""


def checksum(*parts: bytes | str) -> bytes:
    """What is kept beside a row to tell whether it still is what was written."""
    total = hashlib.blake2b(digest_size=8)
    for part in parts:
        total.update(part.encode() if isinstance(part, str) else part)
        total.update(b"\0")
    return total.digest()


def boot_id() -> str:
    """This boot's name, as the kernel gives it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def connect(path: Path) -> sqlite3.Connection:
    """Open the index's file, made if it is not there."""
    database = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    for pragma in (
        "auto_vacuum=INCREMENTAL",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "temp_store=MEMORY",
        "cache_size=-16000",
    ):
        database.execute(f"PRAGMA {pragma}")
    database.executescript(_SCHEMA)
    return database


class Index:
    """The SQLite file behind the store; safe to call from several threads.

    ``lease`` is told what is looked up, so that it is not collected while this session lives.
    """

    def __init__(self, path: Path, lease: Lease | None = None) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._lease = lease
        self._nodes: dict[str, bytes] = {}
        self._contents: dict[str, tuple[int, str]] = {}
        self._layers: dict[int, LayerRow] = {}
        self._used: dict[tuple[str, str], int] = {}
        self._seen: set[tuple[str, str]] = set()
        self._session = 0
        try:
            self._db = connect(path)
            self._session = self._next("session")
        except sqlite3.DatabaseError as error:
            self._give_up(error)
            raise
        if lease is not None:
            lease.begin(self._session, self._last_number())

    def _give_up(self, error: sqlite3.DatabaseError) -> None:
        """Leave word, when the file itself is damaged, that it is to be made anew."""
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            broken(self._path).touch()
            raise BrokenIndex(
                f"the cache's index {self._path} is damaged: run again, and it is made anew"
            ) from error

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.DatabaseError as error:
                self._give_up(error)
                raise

    def close(self) -> None:
        """Write what is buffered and close the file."""
        with self._lock:
            try:
                self.flush()
            except sqlite3.OperationalError:  # the disk is full: what was not written is made again
                self._nodes.clear()
            finally:
                self._db.close()

    def flush(self) -> None:
        """Write the buffered nodes, content locations and times of use."""
        with self._lock:
            if self._nodes or self._contents or self._used:
                with self._transaction():
                    pass

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction that first writes what is buffered; undone as a whole on an error."""
        with self._reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                db.executemany(
                    _NODE,
                    [(name, data, checksum(name, data), self._session) for name, data in self._nodes.items()],
                )
                db.executemany(
                    "INSERT OR REPLACE INTO content VALUES (?, ?, ?)",
                    [(digest, layer, path) for digest, (layer, path) in self._contents.items()],
                )
                db.executemany(
                    "UPDATE fact SET used = ? WHERE kind = ? AND key = ?",
                    [(used, *name) for name, used in self._used.items()],
                )
                yield db
            except BaseException:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
            self._nodes.clear()
            self._contents.clear()
            self._used.clear()

    def node(self, digest: str) -> bytes:
        """The stored bytes of a listing; KeyError when there are none, or others than were stored."""
        with self._reading() as db:
            pending = self._nodes.get(digest)
            if pending is not None:
                return pending
            row = db.execute("SELECT data, sum FROM node WHERE digest = ?", (digest,)).fetchone()
            if row is not None and row[1] != checksum(digest, row[0]):
                db.execute("DELETE FROM node WHERE digest = ?", (digest,))
                row = None
        if row is None:
            raise KeyError(digest)
        data: bytes = row[0]
        return data

    def add_node(self, digest: str, data: bytes) -> None:
        """Buffer a listing's bytes."""
        with self._lock:
            self._nodes[digest] = data
            if len(self._nodes) >= _BUFFERED:
                self.flush()

    def _add_contents(self, layer: int, located: Iterable[tuple[str, str]]) -> None:
        """Buffer where contents lie: (sha256, path within the layer)."""
        with self._lock:
            for digest, path in located:
                self._contents[digest] = (layer, path)

    def content(self, digest: str) -> tuple[int, str] | None:
        """The layer and the path that hold the bytes with this sha256."""
        with self._reading() as db:
            pending = self._contents.get(digest)
            if pending is not None:
                return pending
            row = db.execute("SELECT layer, path FROM content WHERE digest = ?", (digest,)).fetchone()
        return (int(row[0]), str(row[1])) if row else None

    def next_layer(self) -> int:
        """A number nobody else will use, for a directory that is renamed in place before its row exists."""
        return self._next("layer")

    def _next(self, counter: str) -> int:
        with self._transaction() as db:
            row = db.execute("SELECT value FROM fact WHERE kind='counter' AND key=?", (counter,)).fetchone()
            number = int(row[0]) + 1 if row else self._first(counter)
            db.execute(_FACT, _row("counter", counter, str(number)))
        return number

    def _first(self, counter: str) -> int:
        """Where an index starts to count; a new one must not meet layers that an older one left."""
        if counter != "layer":
            return 1
        left = [int(each.name, 16) for each in (self._path.parent / "layers").glob("*")]
        return max(left, default=0) + 1

    def _last_number(self) -> int:
        with self._reading() as db:
            row = db.execute("SELECT value FROM fact WHERE kind='counter' AND key='layer'").fetchone()
        return int(row[0]) if row else self._first("layer") - 1

    def add_layer(self, row: LayerRow, located: Iterable[tuple[str, str]] = ()) -> None:
        """Record a layer whose directory is in place, with the contents it holds."""
        with self._lock:
            self._add_contents(row.id, located)
            with self._transaction() as db:
                db.execute(
                    "INSERT INTO layer (id, parent, tree, depth, seal, size) VALUES (?, ?, ?, ?, ?, ?)",
                    (row.id, row.parent, row.tree, row.depth, row.seal, row.size),
                )
            self._layers[row.id] = row

    def reseal(self, number: int, seal: str) -> None:
        """Record a layer's seal anew, now that its bytes have been read and found right."""
        with self._transaction() as db:
            db.execute("UPDATE layer SET seal = ? WHERE id = ?", (seal, number))
        self._layers.pop(number, None)

    def layer(self, number: int) -> LayerRow | None:
        """The layer with this number."""
        known = self._layers.get(number)
        if known is not None:
            return known
        with self._reading() as db:
            row = db.execute(f"{_LAYER} WHERE id = ?", (number,)).fetchone()
        if row is None:
            return None
        found = LayerRow(*row)
        self._layers[number] = found
        return found

    def layer_showing(self, tree: str) -> LayerRow | None:
        """The shallowest layer that shows exactly this file system."""
        with self._reading() as db:
            row = db.execute(f"{_LAYER} WHERE tree = ? ORDER BY depth, id LIMIT 1", (tree,)).fetchone()
        return LayerRow(*row) if row else None

    def last_layer(self) -> int:
        """The highest number of a recorded layer, 0 when there is none."""
        with self._reading() as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM layer").fetchone()[0])

    def layers_after(self, number: int) -> list[int]:
        """The recorded layers with a higher number."""
        with self._reading() as db:
            return [row[0] for row in db.execute("SELECT id FROM layer WHERE id > ?", (number,))]

    def forget_layers(self, numbers: Iterable[int]) -> None:
        """Drop layers' rows and the content locations in them."""
        doomed = [(number,) for number in numbers]
        with self._transaction() as db:
            db.executemany("DELETE FROM layer WHERE id = ?", doomed)
            db.executemany("DELETE FROM content WHERE layer = ?", doomed)
        for (number,) in doomed:
            self._layers.pop(number, None)

    def fact(self, kind: str, key: str) -> Any:
        """What was recorded under ``kind`` and ``key`` (JSON), or None; what it names is leased."""
        with self._sharing(), self._reading() as db:
            row = db.execute(
                "SELECT value, sum, used FROM fact WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
            if row is None:
                return None
            if row[1] != checksum(kind, key, row[0]):
                self.forget(kind, key)
                return None
            now = int(time.time())
            if row[2] < now - _STALE:
                self._used[kind, key] = now
            value = json.loads(row[0])
            if self._lease is not None:
                for digest in named(value, row[0]):
                    self._lease.tree(digest)
            self._seen.add((kind, key))
        return value

    def seen(self, kind: str) -> list[tuple[str, Any]]:
        """The facts of a kind that this session has looked up or recorded, by their keys."""
        found = [(key, self.fact(kind, key)) for own, key in sorted(self._seen) if own == kind]
        return [(key, value) for key, value in found if value is not None]

    def facts(self, kind: str) -> list[tuple[str, Any]]:
        """All facts of a kind, by their keys."""
        with self._reading() as db:
            keys = [row[0] for row in db.execute("SELECT key FROM fact WHERE kind = ? ORDER BY key", (kind,))]
        found = [(key, self.fact(kind, key)) for key in keys]
        return [(key, value) for key, value in found if value is not None]

    def contents_of(self, layer: int) -> list[str]:
        """The sha256 of the contents that lie in a layer."""
        self.flush()
        with self._reading() as db:
            return [row[0] for row in db.execute("SELECT digest FROM content WHERE layer = ?", (layer,))]

    def _sharing(self) -> AbstractContextManager[None]:
        return nullcontext() if self._lease is None else self._lease.sharing()

    def record(self, kind: str, key: str, value: Any, *, used: bool = True) -> None:
        """Record a JSON value, together with everything that is buffered, in one transaction.

        ``used``: this session has made it, and does not only take it over for others.
        """
        text = json.dumps(value, separators=(",", ":"))
        with self._transaction() as db:
            db.execute(_FACT, _row(kind, key, text))
        if used:
            self._seen.add((kind, key))

    def has_fact(self, kind: str, key: str) -> bool:
        """Whether something is recorded under ``kind`` and ``key``; that does not use it."""
        with self._reading() as db:
            query = "SELECT 1 FROM fact WHERE kind = ? AND key = ?"
            return db.execute(query, (kind, key)).fetchone() is not None

    def forget(self, kind: str, key: str) -> None:
        """Drop what was recorded under ``kind`` and ``key``."""
        with self._reading() as db:
            db.execute("DELETE FROM fact WHERE kind = ? AND key = ?", (kind, key))


_DIGEST = re.compile(r"[0-9a-f]{64}")


def named(value: Any, text: str) -> list[str]:
    """The digests of what a fact names: of its tree when it has one, else of all that is in its JSON."""
    if isinstance(value, dict) and isinstance(tree := value.get("tree"), str):
        return [tree]
    return _DIGEST.findall(text)


def broken(path: Path) -> Path:
    """The file that says that the index is damaged and to be made anew."""
    return path.with_suffix(".damaged")


def _row(kind: str, key: str, text: str) -> tuple[str, str, str, bytes, int, int]:
    now = int(time.time())
    return kind, key, text, checksum(kind, key, text), now, now
