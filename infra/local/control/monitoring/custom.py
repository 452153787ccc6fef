"""Metrics that programs write themselves: descriptors, and their points in a SQLite file of bounded size."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from infra.local.control.monitoring.series import Json, Series
from infra.local.state.database import open_database
from infra.local.traffic.metrics import Point

DATABASE = "metrics.db"
VERSION = 1
KEPT = 42 * 86_400.0  # seconds
_MANY = 1_000_000  # points
_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, project TEXT NOT NULL, metric TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (project, metric, body)
);
CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL, end REAL NOT NULL, start REAL NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (series, end)
) WITHOUT ROWID;
"""


class NotInOrder(Exception):
    """A point that is not newer than the newest one of its series."""


class Points:
    """The points in the folder `state`. Not for use by several threads.

    Raises sqlite3.DatabaseError when the folder holds the state of another version.
    """

    def __init__(self, state: Path) -> None:
        self._db = open_database(state / DATABASE, _SCHEMA, VERSION)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def write(self, project: str, series: Series) -> None:
        """Add the only point of a series. Raises NotInOrder."""
        point = series.points[0]
        key = (project, series.metric, _body(series))
        self._db.execute("INSERT OR IGNORE INTO series VALUES (NULL, ?, ?, ?)", key)
        (number,) = self._db.execute(
            "SELECT id FROM series WHERE project = ? AND metric = ? AND body = ?", key
        ).fetchone()
        (newest,) = self._db.execute("SELECT MAX(end) FROM points WHERE series = ?", (number,)).fetchone()
        if newest is not None and point.end <= newest:
            raise NotInOrder
        values = (number, point.end, point.start, json.dumps(point.value))
        self._db.execute("INSERT INTO points VALUES (?, ?, ?, ?)", values)
        if int(point.end) % 97 == 0:  # now and then
            self._db.execute("DELETE FROM points WHERE series = ? AND end < ?", (number, time.time() - KEPT))

    def read(self, project: str, metric: str, start: float, end: float) -> Iterator[Series]:
        """The series of a metric with points after `start` and until `end`; the newest point comes first."""
        rows = self._db.execute(
            "SELECT id, body FROM series WHERE project = ? AND metric = ? ORDER BY id", (project, metric)
        ).fetchall()
        for number, body in rows:
            found = self._db.execute(
                "SELECT start, end, value FROM points WHERE series = ? AND end > ? AND end <= ? "
                "ORDER BY end DESC LIMIT ?",
                (number, start, end, _MANY),
            )
            points = tuple(Point(since, until, json.loads(value)) for since, until, value in found)
            if points:
                yield _series(json.loads(body), metric, points)

    def remove(self, project: str, metric: str) -> None:
        """Forget a metric."""
        key = (project, metric)
        self._db.execute(
            "DELETE FROM points WHERE series IN (SELECT id FROM series WHERE project = ? AND metric = ?)", key
        )
        self._db.execute("DELETE FROM series WHERE project = ? AND metric = ?", key)


def _body(series: Series) -> str:
    body: Json = {
        "kind": series.kind,
        "type": series.value_type,
        "labels": dict(series.labels),
        "resource": series.resource,
        "resource_labels": dict(series.resource_labels),
    }
    return json.dumps(body, sort_keys=True)


def _series(body: Json, metric: str, points: tuple[Point, ...]) -> Series:
    return Series(
        metric,
        body["kind"],
        body["type"],
        body["labels"],
        body["resource"],
        body["resource_labels"],
        points,
    )
