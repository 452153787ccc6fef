"""Log entries in one SQLite file of bounded size: written in batches by a thread, read by any.

Whoever writes never waits, neither for the disk nor for a reader. A kill loses the last tenth of a second.
"""

import contextlib
import itertools
import json
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.local.control.logging.entry import Json, now
from infra.local.control.logging.query import Bounds
from infra.local.control.logging.severity import RANKS
from infra.local.control.logging.times import nanoseconds, rfc3339
from infra.local.state.database import open_database, transaction

_LOG = logging.getLogger(__name__)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    serial INTEGER PRIMARY KEY,
    project TEXT NOT NULL, time INTEGER NOT NULL, log TEXT NOT NULL, insert_id TEXT NOT NULL,
    severity INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (project, time, log, insert_id)
);
CREATE TABLE IF NOT EXISTS logs (project TEXT NOT NULL, log TEXT NOT NULL, PRIMARY KEY (project, log))
WITHOUT ROWID;
"""
VERSION = 1
MAX_SIZE = 256 << 20
_MAX_WAITING = 200_000
_MAX_BATCH = 5_000
_PAUSE = 0.05  # seconds that entries are gathered
_CHUNK = 500
_COURTESY = 16  # entries after which the interpreter is let go, for the threads that serve
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

Make = Callable[[], Json]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is: after the entry of that time and serial."""

    time: int
    serial: int


class Journal:
    """The file at `path`, made with its folder when missing, of about `limit` bytes at most.

    Raises sqlite3.DatabaseError when the file is none of this program's.
    """

    def __init__(self, path: Path, limit: int = MAX_SIZE) -> None:
        self._limit = limit
        self._writer = open_database(path, _SCHEMA, VERSION)
        self._reader = open_database(path, _SCHEMA, VERSION)
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Make | threading.Event | None] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._dropped = 0
        self.observers: list[Callable[[Json], None]] = []
        self._known: set[tuple[str, str]] = set()
        self._ids = itertools.count(now() // 1000)
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def put(self, make: Make) -> None:
        """Add the entry that `make` makes; later, and in another thread. It is dropped when too many wait."""
        if self._queue.qsize() >= _MAX_WAITING:
            self._dropped += 1
        else:
            self._queue.put(make)

    def flush(self) -> None:
        """Wait until all that was put before can be read."""
        done = threading.Event()
        self._queue.put(done)
        self._hurry.set()
        done.wait(30)

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        self._queue.put(None)
        self._hurry.set()
        self._thread.join(30)
        with self._lock:
            self._writer.close()
            self._reader.close()

    def read(
        self, projects: Sequence[str], bounds: Bounds, after: Place | None, *, newest_first: bool
    ) -> Iterator[tuple[Place, Json]]:
        """Entries of projects within bounds, in the order of their times. Not to be stopped by a writer."""
        sign, order = ("<", "DESC") if newest_first else (">", "ASC")
        marks = ", ".join("?" * len(projects))
        query = (
            f"SELECT time, serial, body FROM entries WHERE project IN ({marks}) "  # noqa: S608
            f"AND time BETWEEN ? AND ? AND severity >= ? AND (time, serial) {sign} (?, ?) "
            f"AND ? IN ('', log) ORDER BY time {order}, serial {order} LIMIT {_CHUNK}"
        )
        place = after or (Place(1 << 62, 1 << 62) if newest_first else Place(-1, -1))
        while True:
            values = (
                *projects,
                bounds.start,
                bounds.end,
                bounds.severity,
                place.time,
                place.serial,
                bounds.log,
            )
            with self._lock:
                rows = self._reader.execute(query, values).fetchall()
            for moment, serial, body in rows:
                place = Place(moment, serial)
                yield place, json.loads(body)
            if len(rows) < _CHUNK:
                return

    def logs(self, project: str) -> list[str]:
        """The full names of a project's logs."""
        with self._lock:
            found = self._reader.execute("SELECT log FROM logs WHERE project = ? ORDER BY log", (project,))
            return [row[0] for row in found.fetchall()]

    def delete(self, project: str, log: str) -> bool:
        """Forget a log with its entries; whether there was one."""
        with self._lock:
            found = self._reader.execute("DELETE FROM logs WHERE project = ? AND log = ?", (project, log))
            self._reader.execute("DELETE FROM entries WHERE project = ? AND log = ?", (project, log))
            self._known.discard((project, log))
        return int(found.rowcount) > 0

    def _work(self) -> None:
        open_ = True
        while open_:
            batch = [self._queue.get()]
            if not isinstance(batch[0], threading.Event):
                self._hurry.wait(_PAUSE)
            self._hurry.clear()
            with contextlib.suppress(queue.Empty):
                while len(batch) < _MAX_BATCH:
                    batch.append(self._queue.get_nowait())
            try:
                self._write([each for each in batch if callable(each)])
            except sqlite3.Error as error:
                _LOG.warning("%d log entries could not be kept: %s", len(batch), error)
            for each in batch:
                if isinstance(each, threading.Event):
                    each.set()
            open_ = None not in batch

    def _write(self, batch: list[Make]) -> None:
        dropped, self._dropped = self._dropped, 0
        if dropped:
            _LOG.warning("%d log entries came faster than they could be written, and were dropped", dropped)
        rows = []
        for number, make in enumerate(batch, 1):
            if (row := self._row(make)) is not None:
                rows.append(row)
            if number % _COURTESY == 0:
                time.sleep(0)
        if not rows:
            return
        with self._lock:
            fresh = {(row[0], row[2]) for row in rows} - self._known
            with transaction(self._writer):
                self._writer.executemany("INSERT OR IGNORE INTO logs VALUES (?, ?)", fresh)
                self._writer.executemany(
                    "INSERT OR IGNORE INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?)", rows
                )
                self._shrink()
            self._known |= fresh

    def _row(self, make: Make) -> tuple[str, int, str, str, int, str] | None:
        try:
            entry = make()
            moment = nanoseconds(entry["timestamp"]) or 0
            entry.setdefault("insertId", self._id())
            entry["receiveTimestamp"] = rfc3339(now())
            body = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
            body.encode()
            for observe in self.observers:
                observe(entry)
        except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # one bad entry is one less
            _LOG.warning("a log entry could not be kept", exc_info=True)
            return None
        log = entry["logName"]
        rank = RANKS[entry.get("severity", "DEFAULT")]
        return log.split("/")[1], moment, log, entry["insertId"], rank, body

    def _id(self) -> str:
        number, text = next(self._ids), ""
        while number:
            number, digit = divmod(number, 36)
            text = _DIGITS[digit] + text
        return text

    def _shrink(self) -> None:
        """Let the oldest tenth go when there is too much."""
        pages, free, size = (
            self._writer.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > self._limit:
            first, last = self._writer.execute("SELECT MIN(serial), MAX(serial) FROM entries").fetchone()
            until = first + max(1, (last - first) // 10)
            self._writer.execute("DELETE FROM entries WHERE serial < ?", (until,))
