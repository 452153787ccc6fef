"""Resources of one kind, as the messages that they are."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from infra.local.state.store import Row, Store

M = TypeVar("M")
DEFAULT_PAGE = 100
MAX_PAGE = 1000


class BadToken(ValueError):
    """A page token that no list method gave out."""


@dataclass(frozen=True, slots=True)
class Page:
    """Serialized messages, and the token of the next page, "" at the end."""

    bodies: tuple[bytes, ...]
    next_token: str


class Shelf(Generic[M]):
    """The resources of `kind` in a store; `message` is their proto-plus or protobuf class.

    Messages are found by their field `name`, and versioned by `generation` and `etag` where they have them.
    """

    def __init__(self, store: Store, kind: str, message: type[M]) -> None:
        self._store = store
        self.kind = kind
        self._message: Any = message

    def get(self, name: str) -> M | None:
        """The resource of that full name, a copy of one's own."""
        row = self._store.read(self.kind, name)
        return None if row is None else self._parse(row)

    def put(self, message: M) -> None:
        """Store a resource, new or in place of the one of its name."""
        value: Any = message
        self._store.write(
            self.kind,
            value.name,
            self._serialize(value),
            generation=getattr(value, "generation", 0),
            etag=getattr(value, "etag", ""),
        )

    def remove(self, name: str) -> None:
        """Forget a resource."""
        self._store.remove(self.kind, name)

    def remove_under(self, name: str) -> None:
        """Forget all resources inside of another one."""
        self._store.remove_under(self.kind, name)

    def all(self, above: str = "") -> Iterator[M]:
        """Every resource in `above`, oldest first."""
        return (self._parse(row) for row in self._store.list(self.kind, above))

    def count(self, above: str) -> int:
        """How many there are in `above`."""
        return self._store.count(self.kind, above)

    def page(self, above: str, size: int, token: str, *, newest_first: bool = False) -> Page:
        """A page of at most `size` (0: the default) serialized resources in `above`. Raises BadToken."""
        limit = min(size or DEFAULT_PAGE, MAX_PAGE)
        after = _read_token(token)
        rows = self._store.list(self.kind, above, after=after, limit=limit + 1, newest_first=newest_first)
        more = len(rows) > limit
        rows = rows[:limit]
        return Page(tuple(row.body for row in rows), _token(rows[-1].serial) if more else "")

    def _parse(self, row: Row) -> M:
        if hasattr(self._message, "deserialize"):
            parsed: M = self._message.deserialize(row.body)
        else:
            parsed = self._message.FromString(row.body)
        return parsed

    def _serialize(self, value: Any) -> bytes:
        if hasattr(self._message, "serialize"):
            return bytes(self._message.serialize(value))
        return bytes(value.SerializeToString())


def _token(serial: int) -> str:
    return base64.urlsafe_b64encode(f"after:{serial}".encode()).decode().rstrip("=")


def _read_token(token: str) -> int:
    if not token:
        return 0
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
        kind, _, serial = text.partition(":")
        if kind != "after" or not serial.isdecimal() or len(serial) > 18:
            raise BadToken(token)
        return int(serial)
    except ValueError as error:  # binascii.Error is one
        raise BadToken(token) from error
