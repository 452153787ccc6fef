"""How much the cache may keep, and for how long; the words are those of Dagger's ``engine.localCache``."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ci.engine.errors import EngineError

GB = 10**9
_DAY = 24 * 3600
_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": GB,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmgt]i?)?b?|(%))\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Policy:
    """What may stay; sizes in bytes (0 is no limit), ``max_age`` in seconds since the last use (0 likewise).

    The cache is pruned when it takes more than ``max_used_space``, or leaves less than ``min_free_space`` on
    its disk: the least recently used go first, down to ``target_space`` where that is less than what is
    allowed; ``reserved_space`` always stays. What is older than ``max_age`` goes in any case.
    """

    max_used_space: int = 0
    reserved_space: int = 0
    min_free_space: int = 0
    target_space: int = 0
    max_age: float = 0

    def allowed(self, used: int, free: int) -> int | None:
        """Bytes that may stay of ``used`` when ``free`` are left on the disk; None when nothing must go."""
        limits = []
        if self.max_used_space and used > self.max_used_space:
            limits.append(self.max_used_space)
        if self.min_free_space and free < self.min_free_space:
            limits.append(used - (self.min_free_space - free))
        if not limits:
            return None
        if self.target_space:
            limits.append(self.target_space)
        return max(min(limits), self.reserved_space, 0)

    def oldest(self) -> int:
        """What was used last before this time (seconds since the epoch) is too old."""
        return int(time.time() - self.max_age) if self.max_age else 0


def default(folder: Path, environ: Mapping[str, str] = os.environ) -> Policy:
    """The policy for the state folder: what ``SHIPWAY_CACHE_*`` say, else a part of its disk.

    Raises:
        EngineError: a variable has a value that means nothing.
    """
    disk = shutil.disk_usage(folder).total
    policy = Policy(
        max_used_space=min(10 * GB, disk // 5),
        reserved_space=min(GB, disk // 50),
        min_free_space=min(5 * GB, disk // 20),
        max_age=30 * _DAY,
    )
    found = {}
    for name in ("max_used_space", "reserved_space", "min_free_space", "target_space"):
        variable = f"SHIPWAY_CACHE_{name.upper()}"
        if text := environ.get(variable):
            found[name] = size(text, disk, variable)
    if days := environ.get("SHIPWAY_CACHE_MAX_AGE_DAYS"):
        try:
            found["max_age"] = int(float(days) * _DAY)
        except ValueError:
            raise EngineError(f"SHIPWAY_CACHE_MAX_AGE_DAYS is {days!r}: give a number of days") from None
    return replace(policy, **found)


def size(text: str, disk: int, what: str) -> int:
    """Bytes of "10GB", "512MiB", "80%" (of the disk's size) or a plain number.

    Raises:
        EngineError: it is none of these; the message names ``what``.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise EngineError(f"{what} is {text!r}: give a size such as 10GB, 512MiB or 80%")
    number = float(match[1])
    if match[3]:
        return int(disk * number / 100)
    return int(number * _UNITS[(match[2] or "").lower()])
