"""Locks: one process at a time is at work on a stack; others are told which (pkg/backend/diy/lock.go)."""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.engine.state import files, gojson
from infra.engine.state.errors import LockedError
from infra.engine.state.model import timestamp


class Locks:
    """The locks of one stack: a folder with a file for each process that holds, or tries to get, one."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the stack's lock. Raises LockedError, which names each holder."""
        self._check(None)
        own = self._folder / f"{uuid.uuid4()}.json"
        files.write_blob(own, gojson.dumps(_owner()).encode(), durable=False)
        try:
            self._check(own)  # two may have seen no lock, and written theirs: then both give up
            yield
        finally:
            files.remove_blob(own)

    def held(self) -> list[Path]:
        """The locks there are."""
        return sorted(self._folder.glob("*.json"))

    def remove_all(self) -> int:
        """Take all locks away, whoever holds them; returns how many there were."""
        held = self.held()
        for lock in held:
            files.remove_blob(lock)
        return len(held)

    def _check(self, own: Path | None) -> None:
        others = [lock for lock in self.held() if lock != own]
        if others:
            lines = "".join(self._line(lock) for lock in others)
            raise LockedError(
                f"the stack is currently locked by {len(others)} lock(s). Either wait for the other"
                " process(es) to end or"
                f" delete the lock file with `pulumi cancel`.{lines}"
            )

    def _line(self, lock: Path) -> str:
        try:
            owner: dict[str, Any] = json.loads(lock.read_bytes())
        except (OSError, ValueError):  # just let go, or half written
            owner = {}
        when = _seconds(str(owner.get("timestamp", "?")))
        holder = f"{owner.get('username', '?')}@{owner.get('hostname', '?')}"
        gone = _ended(owner)
        note = " (that process is gone: its update was cut short)" if gone else ""
        return (
            f"\n  {self._url}/{lock.name}: created by {holder} (pid {owner.get('pid', '?')}) at {when}{note}"
        )


def _owner() -> dict[str, Any]:
    from getpass import getuser

    return {
        "pid": os.getpid(),
        "username": getuser(),
        "hostname": socket.gethostname(),
        "timestamp": timestamp(),
    }


def _seconds(time: str) -> str:
    """RFC 3339 without fractions of a second."""
    head, dot, tail = time.partition(".")
    return head + tail.lstrip("0123456789") if dot else time


def _ended(owner: dict[str, Any]) -> bool:
    """Whether the holder was a process of this machine, and is no more."""
    pid = owner.get("pid")
    if owner.get("hostname") != socket.gethostname() or not isinstance(pid, int):
        return False
    return not Path(f"/proc/{pid}").exists()
