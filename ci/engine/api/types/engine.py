"""``Engine``: the engine itself, and its clients."""

from __future__ import annotations

from dataclasses import dataclass

from ci.engine.api.registry import Call, serves
from ci.engine.api.types.common import works
from ci.engine.graph.fingerprint import Digested
from ci.engine.store import leases

NAME = "shipway"


@dataclass(frozen=True)
class Engine(Digested):
    """The engine."""

    name: str = NAME


@dataclass(frozen=True)
class EngineCache(Digested):
    """The engine's cache, and what its policy lets it keep (bytes; 0 is no limit)."""

    max_used_space: int
    reserved_space: int
    min_free_space: int
    target_space: int


@serves("Query")
def engine(_call: Call, _parent: object) -> Engine:
    """The engine that answers."""
    return Engine()


@serves("Engine")
def name(_call: Call, parent: Engine) -> str:
    """What it is called."""
    return parent.name


@serves("Engine")
async def clients(call: Call, _parent: Engine) -> list[str]:
    """The sessions that share its cache."""
    parts = works(call)
    return await parts.evaluator.in_thread(leases.living, parts.store.root)


@serves("Engine")
def local_cache(call: Call, _parent: Engine) -> EngineCache:
    """Its cache."""
    policy = works(call).housekeeping.policy
    return EngineCache(
        policy.max_used_space, policy.reserved_space, policy.min_free_space, policy.target_space
    )
