"""SQLite files as all rooms open them: one writer, readers out of its way, one version."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path


def open_database(path: Path, schema: str, version: int) -> sqlite3.Connection:
    """Open the file, made with folder and `schema` when missing. A statement is a transaction of its own.

    Raises sqlite3.DatabaseError when it is of another version, or none of this program's.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    path.chmod(0o600)
    database.execute("PRAGMA journal_mode = WAL")
    # Loses nothing when this process is killed; a power cut may take the last moments, never the whole.
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA busy_timeout = 10000")
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found not in {0, version}:
        raise sqlite3.DatabaseError(
            f"{path} is of version {found}, and this program reads version {version}: "
            "use another --state folder"
        )
    database.executescript(schema)
    database.execute(f"PRAGMA user_version = {version}")
    return database


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All changes of the block happen, or none."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
