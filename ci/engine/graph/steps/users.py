"""Who a step runs as and who owns a file: names looked up in a file system's own passwd and group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.store import algebra
from ci.engine.store.tree import REGULAR

if TYPE_CHECKING:
    from ci.engine.store.store import Store
    from ci.engine.store.tree import Snapshot


@dataclass(frozen=True)
class Owner:
    """A user and a group by number."""

    uid: int
    gid: int


ROOT = Owner(0, 0)


@dataclass(frozen=True)
class Account:
    """Whom a step runs as."""

    owner: Owner
    home: str
    groups: tuple[int, ...] = ()


def numeric(text: str) -> Owner | None:
    """``uid[:gid]`` as numbers, or None when a part is a name; the group defaults to the user's number."""
    user, colon, group = text.partition(":")
    if user.isdigit() and (group.isdigit() or not colon):
        return Owner(int(user), int(group) if colon else int(user))
    return None


def _rows(store: Store, snapshot: Snapshot, path: str) -> list[list[str]]:
    entry = algebra.lookup(store.trees, snapshot.tree, path)
    if entry is None or entry.kind != REGULAR:
        return []
    text = store.read(entry.digest).decode(errors="replace")
    return [line.split(":") for line in text.splitlines() if line and not line.startswith("#")]


def account(store: Store, snapshot: Snapshot, text: str) -> Account:
    """The account that ``user[:group]`` names in a file system; "" is root.

    Raises:
        EngineError: it has no such user or group.
    """
    user, _, group = (text or "0").partition(":")
    passwd = [row for row in _rows(store, snapshot, "/etc/passwd") if len(row) >= 6]
    if not user.isdigit() and algebra.lookup(store.trees, snapshot.tree, "/etc/passwd") is None:
        raise EngineError("open /etc/passwd: no such file or directory")
    row = next((r for r in passwd if r[0] == user or (user.isdigit() and r[2] == user)), None)
    if row is None and not user.isdigit():
        raise EngineError(f"unable to find user {user}: no matching entries in passwd file")
    uid = int(row[2]) if row else int(user)
    groups = [r for r in _rows(store, snapshot, "/etc/group") if len(r) >= 4]
    if group:
        found = next((r for r in groups if r[0] == group), None)
        if found is None and not group.isdigit():
            raise EngineError(f"unable to find group {group}: no matching entries in group file")
        gid = int(found[2]) if found else int(group)
        return Account(Owner(uid, gid), row[5] if row else "/")
    gid = int(row[3]) if row else 0
    member = tuple(int(r[2]) for r in groups if row and row[0] in r[3].split(",") and int(r[2]) != gid)
    return Account(Owner(uid, gid), row[5] if row else "/", member)


def owner(store: Store, snapshot: Snapshot, text: str) -> Owner:
    """The owner that ``user[:group]`` names; a group that is left out is the user's own number.

    Raises:
        EngineError: there is no such user or group.
    """
    known = numeric(text)
    if known is not None:
        return known
    found = account(store, snapshot, text).owner
    return found if ":" in text else Owner(found.uid, found.uid)
