"""The sink that runtime and proxy write to, and what is read back from it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.local.control.logging.entry import Json, from_runtime
from infra.local.control.logging.journal import MAX_SIZE, Journal, Place
from infra.local.control.logging.query import Query
from infra.local.runtime.contract import LogEntry

DATABASE = "logs.db"
_SCANNED = 200_000  # entries that one page may take to be found


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, and where the next one begins, None at the end."""

    entries: tuple[Json, ...]
    after: Place | None


class Logs:
    """The log entries in the folder `state`, of about `limit` bytes at most; the oldest go first.

    Raises sqlite3.DatabaseError when the folder holds the state of another version.
    """

    def __init__(self, state: Path, limit: int = MAX_SIZE) -> None:
        self._journal = Journal(state / DATABASE, limit)

    def write(self, entry: LogEntry) -> None:
        """Take an entry of the runtime or the proxy; at once, whatever the disk does."""
        self._journal.put(lambda: from_runtime(entry))

    __call__ = write

    def add(self, entry: Json) -> None:
        """Take an entry that is in Logging's own form, with logName, resource and timestamp."""
        self._journal.put(lambda: dict(entry))

    def observe(self, see: Callable[[Json], None]) -> None:
        """Call `see` with each entry that is written from now on, in the thread that writes."""
        self._journal.observers.append(see)

    def page(
        self,
        projects: Sequence[str],
        query: Query,
        size: int,
        after: Place | None = None,
        *,
        newest_first: bool = False,
    ) -> Found:
        """Up to `size` entries that match. Blocks: for use in a thread of its own."""
        self._journal.flush()
        found: list[Json] = []
        scanned, last = 0, after
        for place, entry in self._journal.read(projects, query.bounds, after, newest_first=newest_first):
            if len(found) == size or scanned == _SCANNED:
                return Found(tuple(found), last)
            if query.matches(entry):
                found.append(entry)
            scanned, last = scanned + 1, place
        return Found(tuple(found), None)

    def all(self, projects: Sequence[str], query: Query) -> Iterator[Json]:
        """All entries that match, oldest first. Blocks: for use in a thread of its own."""
        self._journal.flush()
        for _, entry in self._journal.read(projects, query.bounds, None, newest_first=False):
            if query.matches(entry):
                yield entry

    def logs(self, project: str) -> list[str]:
        """The full names of a project's logs, its own form of an id as it was written."""
        self._journal.flush()
        return self._journal.logs(project)

    def delete(self, project: str, log: str) -> bool:
        """Forget a log with its entries; whether there was one."""
        self._journal.flush()
        return self._journal.delete(project, log)

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        self._journal.close()
