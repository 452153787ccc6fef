"""What a registry knows of its images: manifests, their parts, tags, and which blobs an image may use.

One SQLite file; the bytes of manifests and blobs are elsewhere, by digest. A change is a transaction, so that
after a kill an image is there with all that it needs, or is not there.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.local.registry.document import Document
from infra.local.registry.names import Place
from infra.local.state.database import open_database, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS manifests (
    repository TEXT NOT NULL, image TEXT NOT NULL, digest TEXT NOT NULL,
    media_type TEXT NOT NULL, length INTEGER NOT NULL, size INTEGER NOT NULL,
    artifact_type TEXT NOT NULL, subject TEXT NOT NULL, uploaded REAL NOT NULL, updated REAL NOT NULL,
    PRIMARY KEY (repository, image, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
    repository TEXT NOT NULL, image TEXT NOT NULL, manifest TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (repository, image, manifest, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_by_digest ON parts (digest);
CREATE TABLE IF NOT EXISTS tags (
    repository TEXT NOT NULL, image TEXT NOT NULL, tag TEXT NOT NULL,
    digest TEXT NOT NULL, updated REAL NOT NULL,
    PRIMARY KEY (repository, image, tag)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (
    repository TEXT NOT NULL, image TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (repository, image, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blobs_by_digest ON blobs (digest);
CREATE INDEX IF NOT EXISTS manifests_by_digest ON manifests (digest);
"""
VERSION = 1
_COLUMNS = "repository, image, digest, media_type, length, size, artifact_type, subject, uploaded, updated"


@dataclass(frozen=True, slots=True)
class Stored:
    """A manifest in an image: `length` in bytes, and `size` with all that it needs; times are epochs."""

    repository: str
    image: str
    digest: str
    media_type: str
    length: int
    size: int
    artifact_type: str
    subject: str
    uploaded: float
    updated: float


@dataclass(frozen=True, slots=True)
class Tag:
    """A name for a version of an image."""

    name: str
    digest: str
    updated: float


class Records:
    """The file at `path`, made with its folder when missing. Not for use by several threads.

    Raises sqlite3.DatabaseError when the file is none of this program's.
    """

    def __init__(self, path: Path) -> None:
        self._db = open_database(path, _SCHEMA, VERSION)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def link(self, place: Place, digest: str) -> None:
        """An image may use a blob."""
        self._db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?)", (*_key(place), digest))

    def linked(self, place: Place, digest: str) -> bool:
        """Whether an image may use a blob."""
        return self._some("blobs", place, "digest", digest)

    def unlink(self, place: Place, digest: str) -> None:
        """An image may use a blob no more."""
        self._db.execute(
            "DELETE FROM blobs WHERE repository = ? AND image = ? AND digest = ?", (*_key(place), digest)
        )

    def put(self, place: Place, document: Document, tag: str = "") -> None:
        """An image has a manifest, perhaps under a tag, which no other one has then."""
        now = time.time()
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO manifests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (repository, image, digest) DO UPDATE SET updated = excluded.updated",
                (
                    *_key(place), document.digest, document.media_type, document.length, document.size,
                    document.artifact_type, document.subject, now, now,
                ),
            )  # fmt: skip
            self._db.executemany(
                "INSERT OR IGNORE INTO parts VALUES (?, ?, ?, ?)",
                [(*_key(place), document.digest, part) for part in document.parts],
            )
            if tag:
                self.tag(place, tag, document.digest)

    def tag(self, place: Place, tag: str, digest: str) -> None:
        """Give a tag to a version, or move it there."""
        self._db.execute(
            "INSERT INTO tags VALUES (?, ?, ?, ?, ?) ON CONFLICT (repository, image, tag) "
            "DO UPDATE SET digest = excluded.digest, updated = excluded.updated",
            (*_key(place), tag, digest, time.time()),
        )

    def untag(self, place: Place, tag: str) -> None:
        """Forget a tag."""
        self._db.execute(
            "DELETE FROM tags WHERE repository = ? AND image = ? AND tag = ?", (*_key(place), tag)
        )

    def manifest(self, place: Place, digest: str) -> Stored | None:
        """The manifest of that digest."""
        found = self._manifests("repository = ? AND image = ? AND digest = ?", (*_key(place), digest))
        return found[0] if found else None

    def manifests(self, place: Place) -> list[Stored]:
        """All manifests of an image, oldest first."""
        return self._manifests("repository = ? AND image = ?", _key(place))

    def referrers(self, place: Place, subject: str) -> list[Stored]:
        """The manifests that are about another one."""
        return self._manifests(
            "repository = ? AND image = ? AND subject = ? AND subject != ''", (*_key(place), subject)
        )

    def tags(self, place: Place) -> list[Tag]:
        """All tags of an image, in the order of their names."""
        found = self._db.execute(
            "SELECT tag, digest, updated FROM tags WHERE repository = ? AND image = ? ORDER BY tag",
            _key(place),
        )
        return [Tag(*row) for row in found]

    def tagged(self, place: Place, tag: str) -> Tag | None:
        """The tag of that name."""
        found = self._db.execute(
            "SELECT tag, digest, updated FROM tags WHERE repository = ? AND image = ? AND tag = ?",
            (*_key(place), tag),
        ).fetchone()
        return Tag(*found) if found else None

    def parents(self, place: Place, digest: str) -> list[str]:
        """The manifests that need a blob or a manifest."""
        found = self._db.execute(
            "SELECT manifest FROM parts WHERE repository = ? AND image = ? AND digest = ?",
            (*_key(place), digest),
        )
        return [row[0] for row in found]

    def images(self, repository: str = "") -> list[Place]:
        """All images with manifests, of one repository or of all, by name."""
        found = self._db.execute(
            "SELECT DISTINCT repository, image FROM manifests "
            "WHERE ? IN ('', repository) ORDER BY repository, image",
            (repository,),
        )
        return [Place(*row) for row in found]

    def remove(self, place: Place, digest: str) -> set[str]:
        """Forget a manifest with its tags; the digests of what nothing uses any more."""
        key = (*_key(place), digest)
        with transaction(self._db):
            freed = {row[0] for row in self._db.execute(
                "SELECT digest FROM parts WHERE repository = ? AND image = ? AND manifest = ?", key
            )}  # fmt: skip
            for table, column in (("manifests", "digest"), ("parts", "manifest"), ("tags", "digest")):
                self._db.execute(
                    f"DELETE FROM {table} WHERE repository = ? AND image = ? AND {column} = ?",  # noqa: S608
                    key,
                )
            for part in freed:
                if not self.parents(place, part):
                    self.unlink(place, part)
        return self.unused({*freed, digest})

    def remove_all(self, repository: str) -> set[str]:
        """Forget all of a repository; the digests of what nothing uses any more."""
        with transaction(self._db):
            freed: set[str] = set()
            for table in ("blobs", "manifests"):
                query = f"SELECT digest FROM {table} WHERE repository = ?"  # noqa: S608
                freed |= {row[0] for row in self._db.execute(query, (repository,))}
            for table in ("blobs", "manifests", "parts", "tags"):
                self._db.execute(f"DELETE FROM {table} WHERE repository = ?", (repository,))  # noqa: S608
        return self.unused(freed)

    def unused(self, digests: Iterable[str]) -> set[str]:
        """Those that no image has."""
        query = "SELECT 1 FROM blobs WHERE digest = ?1 UNION SELECT 1 FROM manifests WHERE digest = ?1"
        return {digest for digest in digests if self._db.execute(query, (digest,)).fetchone() is None}

    def _manifests(self, where: str, values: tuple[str, ...]) -> list[Stored]:
        query = f"SELECT {_COLUMNS} FROM manifests WHERE {where} ORDER BY uploaded, digest"  # noqa: S608
        return [Stored(*row) for row in self._db.execute(query, values)]

    def _some(self, table: str, place: Place, column: str, value: str) -> bool:
        query = f"SELECT 1 FROM {table} WHERE repository = ? AND image = ? AND {column} = ?"  # noqa: S608
        return self._db.execute(query, (*_key(place), value)).fetchone() is not None


def _key(place: Place) -> tuple[str, str]:
    return place.repository, place.image
