"""One SQLite file of resources by kind and name; a change is a transaction, whole or absent after a kill.

Write-ahead logging keeps readers of other processes (`status`, `logs`) out of the writer's way.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.state.database import open_database, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    location TEXT NOT NULL,
    parent TEXT NOT NULL,
    serial INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    etag TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS resources_by_parent ON resources (kind, parent, serial);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
VERSION = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A stored resource: its full name ("projects/P/locations/L/services/S") and its serialized message.

    `serial` grows with every new resource, so that it orders them by creation.
    """

    kind: str
    name: str
    serial: int
    generation: int
    etag: str
    body: bytes


class Store:
    """The file at `path`, made with its folder when missing. Not for use by several threads.

    Raises sqlite3.DatabaseError when the file is none of this program's.
    """

    def __init__(self, path: Path) -> None:
        self._db = open_database(path, _SCHEMA, VERSION)
        self._depth = 0

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes of the block happen, or none. There may be no await in it."""
        if self._depth:
            yield
            return
        self._depth += 1
        try:
            with transaction(self._db):
                yield
        finally:
            self._depth -= 1

    def read(self, kind: str, name: str) -> Row | None:
        """The resource, or None."""
        found = self._db.execute(
            "SELECT kind, name, serial, generation, etag, body FROM resources WHERE kind = ? AND name = ?",
            (kind, name),
        ).fetchone()
        return None if found is None else Row(*found)

    def write(self, kind: str, name: str, body: bytes, *, generation: int = 0, etag: str = "") -> None:
        """Add the resource, or put it in the place of the one of that name."""
        project, location = place(name)
        with self.transaction():
            self._db.execute(
                "INSERT INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (kind, name) DO UPDATE SET "
                "generation = excluded.generation, etag = excluded.etag, body = excluded.body",
                (kind, name, project, location, parent(name), self.next("serial"), generation, etag, body),
            )

    def remove(self, kind: str, name: str) -> None:
        """Forget the resource, if there is one."""
        self._db.execute("DELETE FROM resources WHERE kind = ? AND name = ?", (kind, name))

    def remove_under(self, kind: str, prefix: str) -> None:
        """Forget all resources of a kind whose names begin with `prefix` and a slash."""
        self._db.execute(
            "DELETE FROM resources WHERE kind = ? AND name >= ? AND name < ?",
            (kind, f"{prefix}/", f"{prefix}0"),
        )

    def list(
        self, kind: str, above: str = "", *, after: int = 0, limit: int = -1, newest_first: bool = False
    ) -> list[Row]:
        """Resources in `above` ("" for all; "-" as a segment for any), by age, past the serial `after`."""
        clauses, values = ["kind = ?"], [kind]
        if above:
            wild = "-" in above.split("/")
            clauses.append("parent GLOB ?" if wild else "parent = ?")
            values.append(_glob(above) if wild else above)
        if after:
            clauses.append("serial < ?" if newest_first else "serial > ?")
        order = "DESC" if newest_first else "ASC"
        numbers = (after, limit) if after else (limit,)
        query = (
            "SELECT kind, name, serial, generation, etag, body FROM resources "  # noqa: S608  # no value in it
            f"WHERE {' AND '.join(clauses)} ORDER BY serial {order} LIMIT ?"
        )
        return [Row(*found) for found in self._db.execute(query, (*values, *numbers))]

    def count(self, kind: str, above: str) -> int:
        """How many resources of a kind have that parent."""
        found = self._db.execute(
            "SELECT COUNT(*) FROM resources WHERE kind = ? AND parent = ?", (kind, above)
        )
        return int(found.fetchone()[0])

    def next(self, counter: str) -> int:
        """Count up, from 1; a number is never given out again."""
        found = self._db.execute(
            "INSERT INTO counters VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (counter,),
        )
        return int(found.fetchone()[0])


def parent(name: str) -> str:
    """The name of the resource that this one is in: two segments less."""
    return "/".join(name.split("/")[:-2])


def place(name: str) -> tuple[str, str]:
    """Project and location of a name, "" where it has none."""
    parts = name.split("/")
    pairs = dict(zip(parts[::2], parts[1::2], strict=False))
    return pairs.get("projects", ""), pairs.get("locations", "")


def _glob(above: str) -> str:
    literal = "".join(f"[{mark}]" if mark in "*?[" else mark for mark in above)
    return "/".join("*" if segment == "-" else segment for segment in literal.split("/"))
