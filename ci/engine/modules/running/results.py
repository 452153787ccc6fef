"""What functions gave, kept from one session to the next: their results, and the objects named in these."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ci.engine.api.ids import UnknownIDError
from ci.engine.modules.running import record
from ci.engine.modules.running.record import Unrecordable
from ci.engine.store.tree import Lost

if TYPE_CHECKING:
    from ci.engine.session import Session

_FACT = "function"


def recall(session: Session, key: str, ttl: int) -> str | None:
    """The result in JSON that is kept under a key, if it is no older than ``ttl`` seconds. Blocking."""
    store = session.works.store
    kept = store.index.fact(_FACT, key)
    if kept is None or time.time() - kept["at"] > ttl:
        return None
    try:
        found = {id_: (type_, record.read(nodes, store)) for id_, (type_, nodes) in kept["objects"].items()}
    except (Lost, ValueError):
        store.index.forget(_FACT, key)
        return None
    for id_, (type_, value) in found.items():
        if session.ids.of(type_, value) != id_:  # another version of the engine wrote it
            return None
    result: str = kept["result"]
    return result


def keep(session: Session, key: str, result: str) -> bool:
    """Keep a result in JSON under a key; False if it means nothing to another session. Blocking."""
    objects = {}
    try:
        for text in _texts(json.loads(result)):
            try:
                found = session.ids.load(text)
            except UnknownIDError:
                continue
            objects[text] = (found.type, record.written(found.value))
    except (ValueError, Unrecordable):
        return False
    value = {"at": time.time(), "result": result, "objects": objects}
    session.works.store.index.record(_FACT, key, value)
    return True


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
