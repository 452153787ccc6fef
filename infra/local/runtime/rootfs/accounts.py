"""Who a container runs as: an image's user, looked up in its own passwd and group."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class UnknownAccount(Exception):
    """The image names a user or a group that its own files do not have."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user's ids and home directory."""

    uid: int = 0
    gid: int = 0
    home: str = "/"
    groups: tuple[int, ...] = ()


def account(layers: Sequence[Path], text: str) -> Account:
    """The account that `user[:group]` means in stacked layers, top-most first; "" is root.

    Raises UnknownAccount.
    """
    user, _, group = (text or "0").partition(":")
    passwd = [row for row in _rows(layers, "passwd") if len(row) >= 6]
    groups = [row for row in _rows(layers, "group") if len(row) >= 4]
    row = next((each for each in passwd if user in {each[0], each[2]}), None)
    if row is None and not user.isdigit():
        raise UnknownAccount(f"unable to find user {user}: no matching entries in passwd file")
    uid, gid = (int(row[2]), int(row[3])) if row else (int(user), 0)
    home = row[5] if row else "/"
    if group:
        named = next((int(each[2]) for each in groups if group in {each[0], each[2]}), None)
        if named is None and not group.isdigit():
            raise UnknownAccount(f"unable to find group {group}: no matching entries in group file")
        return Account(uid, int(group) if named is None else named, home)
    more = {int(each[2]) for each in groups if row and row[0] in each[3].split(",")} - {gid}
    return Account(uid, gid, home, tuple(sorted(more)))


def _rows(layers: Sequence[Path], name: str) -> list[list[str]]:
    for layer in layers:
        # The image may be hostile: neither of the two may be a link that leads out of it.
        try:
            folder = os.open(layer / "etc", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if not stat.S_ISREG(os.lstat(name, dir_fd=folder).st_mode):
                return []
            with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb") as file:
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            continue
        finally:
            os.close(folder)
        return [line.split(":") for line in text.splitlines() if line and not line.startswith("#")]
    return []
