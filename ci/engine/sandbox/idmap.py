"""The ids that a host lends an ordinary user (subuid(5)), mapped by its own newuidmap and newgidmap."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

FULL_RANGE = 65536  # a map of at least so many ids can hold every user of an ordinary image
_SETGROUPS = Path("/proc/self/setgroups")


def lent(kind: str, uid: int) -> tuple[int, int] | None:
    """The first of a user's ranges that is large enough: where it starts and how long it is."""
    names = {str(uid)}
    with suppress(KeyError):
        names.add(pwd.getpwuid(uid).pw_name)
    try:
        return listed(Path(f"/etc/sub{kind}").read_text(encoding="utf-8"), names)
    except OSError:
        return None


def listed(text: str, names: set[str]) -> tuple[int, int] | None:
    """The first large enough range of one of these names or numbers, in a file of subuid(5)'s format."""
    for line in text.splitlines():
        name, _, rest = line.strip().partition(":")
        first, _, count = rest.partition(":")
        if name in names and first.isdigit() and count.isdigit() and int(count) >= FULL_RANGE:
            return int(first), int(count)
    return None


def entered(enter: Callable[[], None]) -> None:
    """``enter`` a new user namespace and map ids in it: all that the host lends this user, else its own as 0.

    Raises:
        OSError: it can't be entered.
    """
    uid, gid = os.geteuid(), os.getegid()
    helper = _helper(uid, gid)
    try:
        enter()
        if helper is not None:
            helper.communicate(b"\n")
    finally:
        if helper is not None:
            helper.kill()
            helper.wait()
    if not _mapped("uid"):
        if not _mapped("gid"):
            _SETGROUPS.write_text("deny", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")


def _helper(uid: int, gid: int) -> subprocess.Popen[bytes] | None:
    """A process that stays outside, and maps the ids of this one when it is told that it has entered."""
    users, groups = lent("uid", uid), lent("gid", uid)
    if users is None or groups is None or not (shutil.which("newuidmap") and shutil.which("newgidmap")):
        return None
    pid = os.getpid()
    ids, gids = (f"{pid} 0 {own} 1 1 {more[0]} {more[1]}" for own, more in ((uid, users), (gid, groups)))
    # Groups first: with the users' map alone there would be no way back to a map of one.
    script = f"read _ && newgidmap {gids} && newuidmap {ids}"
    return subprocess.Popen(
        ["/bin/sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _mapped(kind: str) -> bool:
    return bool(Path(f"/proc/self/{kind}_map").read_text(encoding="ascii").strip())
