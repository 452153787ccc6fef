"""File systems as values: directory listings, each named by the digest of what it lists."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ci.engine.errors import EngineError

if TYPE_CHECKING:
    from ci.engine.store.index import Index

DIRECTORY, REGULAR, SYMLINK, FIFO, CHARACTER, BLOCK = "d", "f", "l", "p", "c", "b"

#: The time of what the engine makes up itself (2000-01-01), so that the same steps give the same bytes.
EPOCH_NS = 946_684_800 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file system by content, and a layer near it on disk to start from when it must be shown."""

    tree: str
    near: int | None = None


class Entry(NamedTuple):
    """One name in a directory.

    ``digest`` is the sha256 of a regular file's bytes, the digest of a directory's own listing, a
    symlink's target or a device's ``major:minor``. ``mtime`` (nanoseconds) is carried along but does
    not count for the listing's digest, unless somebody ``pinned`` it (``withTimestamps``).
    """

    kind: str
    mode: int
    uid: int
    gid: int
    digest: str
    size: int
    mtime: int = EPOCH_NS
    pinned: bool = False


Listing = Mapping[str, Entry]


class Lost(EngineError):
    """Something that a tree names is nowhere on disk any more, or is there with other bytes."""


class LostListing(Lost, KeyError):
    """A directory's listing is not in the index."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"the listing {digest} is no longer in the engine's index; run again to make it anew"
        )

    __str__ = EngineError.__str__


@dataclass(frozen=True, slots=True)
class Put:
    """A change: ``entry`` is now at ``path``; a directory keeps the children it had."""

    path: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Remove:
    """A change: nothing is at ``path`` any more (a whiteout)."""

    path: str


@dataclass(frozen=True, slots=True)
class Clear:
    """A change: the directory at ``path`` starts out empty (an opaque directory)."""

    path: str


Change = Put | Remove | Clear


def directory(digest: str, mode: int = 0o755, uid: int = 0, gid: int = 0, mtime: int = EPOCH_NS) -> Entry:
    """A directory's entry for the listing named ``digest``."""
    return Entry(DIRECTORY, mode, uid, gid, digest, 0, mtime)


def encode(listing: Listing) -> tuple[str, bytes]:
    """The digest of a listing (sha256, hex) and the bytes that it is stored as.

    Modification times are left out of the digest but kept in the bytes; the first bytes stored under
    a digest stay.
    """
    rows = [(name, *listing[name]) for name in sorted(listing)]
    data = json.dumps(rows, separators=(",", ":")).encode()
    for position, row in enumerate(rows):
        if not row[8]:
            rows[position] = (*row[:7], 0, False)
    named = json.dumps(rows, separators=(",", ":")).encode()
    return hashlib.sha256(named).hexdigest(), data


def decode(data: bytes) -> Listing:
    """The listing stored as ``data``."""
    return {row[0]: Entry(*row[1:]) for row in json.loads(data)}


EMPTY, _EMPTY_DATA = encode({})


class Trees:
    """Every listing the engine knows, by digest; new ones are written with the index's next flush."""

    def __init__(self, index: Index, remembered: int = 4_000) -> None:
        self._index = index
        self._remembered = remembered
        self._memory: dict[str, Listing] = {}

    def load(self, digest: str) -> Listing:
        """The listing named ``digest``.

        Raises:
            LostListing: it was never saved here, or was damaged.
        """
        if digest == EMPTY:
            return {}
        found = self._memory.get(digest)
        if found is None:
            try:
                found = decode(self._index.node(digest))
            except KeyError:
                raise LostListing(digest) from None
            self._remember(digest, found)
        return found

    def save(self, listing: Listing) -> str:
        """Keep a listing and return its digest."""
        digest, data = encode(listing)
        if digest not in self._memory and digest != EMPTY:
            self._index.add_node(digest, data)
            self._remember(digest, listing)
        return digest

    def walk(self, digest: str, prefix: str = "") -> Iterator[tuple[str, Entry]]:
        """Every entry below a listing, parents first, names in order; paths are relative."""
        listing = self.load(digest)
        for name in sorted(listing):
            entry = listing[name]
            path = f"{prefix}{name}"
            yield path, entry
            if entry.kind == DIRECTORY:
                yield from self.walk(entry.digest, f"{path}/")

    def _remember(self, digest: str, listing: Listing) -> None:
        if len(self._memory) >= self._remembered:
            for old in list(self._memory)[: self._remembered // 2]:
                self._memory.pop(old, None)
        self._memory[digest] = listing
