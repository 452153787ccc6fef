"""``EngineCache`` and its entries: what is kept between sessions, and dropping it by hand."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.api.types.common import works
from ci.engine.api.types.engine import EngineCache
from ci.engine.cache import collect
from ci.engine.cache.entries import CacheEntry
from ci.engine.cache.policy import Policy, size
from ci.engine.graph.fingerprint import Digested

SIZES = ("max_used_space", "reserved_space", "min_free_space", "target_space")


@dataclass(frozen=True)
class EntrySet(Digested):
    """The entries of the cache at one time."""

    key: str
    entries: tuple[CacheEntry, ...]


serves_attributes("EngineCache", *SIZES)


@serves("EngineCache")
async def entry_set(call: Call, _parent: EngineCache, *, key: str = "") -> EntrySet:
    """What is in it now; the most recently used first."""
    parts = works(call)

    def read() -> tuple[CacheEntry, ...]:
        parts.store.index.flush()
        return tuple(collect.listed(parts.store.root))

    return EntrySet(key, await parts.evaluator.in_thread(read))


@serves("EngineCache")
async def prune(
    call: Call,
    _parent: EngineCache,
    *,
    use_default_policy: bool = False,
    max_used_space: str = "",
    reserved_space: str = "",
    min_free_space: str = "",
    target_space: str = "",
) -> None:
    """Drop what nobody uses: all of it, or as a policy says.

    Raises:
        EngineError: a size can't be read.
    """
    parts = works(call)
    root = parts.store.root
    disk = shutil.disk_usage(root).total
    given = dict(zip(SIZES, (max_used_space, reserved_space, min_free_space, target_space), strict=True))
    sizes = {what: size(text, disk, what) for what, text in given.items() if text}
    base = parts.housekeeping.policy if use_default_policy else Policy()
    policy = replace(base, **sizes)

    def work() -> None:
        parts.store.index.flush()
        if use_default_policy or policy.max_used_space or policy.min_free_space:
            collect.by_policy(root, policy)
        else:
            collect.collect(root, max(policy.target_space, policy.reserved_space))

    await parts.evaluator.in_thread(work)


@serves("EngineCacheEntrySet")
def entries(_call: Call, parent: EntrySet) -> tuple[CacheEntry, ...]:
    """The entries."""
    return parent.entries


@serves("EngineCacheEntrySet")
def entry_count(_call: Call, parent: EntrySet) -> int:
    """How many there are."""
    return len(parent.entries)


@serves("EngineCacheEntrySet", field="disk_space_bytes")
def total(_call: Call, parent: EntrySet) -> int:
    """What they take on disk."""
    return sum(entry.size for entry in parent.entries)


serves_attributes("EngineCacheEntry", "description")


@serves("EngineCacheEntry")
def disk_space_bytes(_call: Call, parent: CacheEntry) -> int:
    """What it takes beyond what more recently used entries take already."""
    return parent.size


@serves("EngineCacheEntry")
def actively_used(_call: Call, parent: CacheEntry) -> bool:
    """Whether a session relies on it."""
    return parent.active


@serves("EngineCacheEntry")
def created_time_unix_nano(_call: Call, parent: CacheEntry) -> int:
    """When it was made."""
    return parent.made * 10**9


@serves("EngineCacheEntry")
def most_recent_use_time_unix_nano(_call: Call, parent: CacheEntry) -> int:
    """When it was used last."""
    return parent.used * 10**9


@serves("EngineCacheEntry")
def dagql_call(_call: Call, parent: CacheEntry) -> str:
    """What it is kept by: the content of what went in, not the call."""
    return f"{parent.kind}:{parent.key}"


@serves("EngineCacheEntry")
def record_type(_call: Call, parent: CacheEntry) -> str:
    """What sort of thing it is."""
    return parent.type


@serves("EngineCacheEntry")
def record_types(_call: Call, parent: CacheEntry) -> list[str]:
    """The same, as a list."""
    return [parent.type]
