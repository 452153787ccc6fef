"""Object IDs: what the client holds instead of an object, and sends back to name it.

An ID is opaque to the client and lasts as long as the session. Equal values have the same ID.
"""

import base64
from dataclasses import dataclass
from typing import Any

from ci.engine.errors import EngineError
from ci.engine.graph.fingerprint import fingerprint


class UnknownIDError(EngineError):
    """An ID that this session did not give out."""


@dataclass(frozen=True, slots=True)
class Identified:
    """A value and the GraphQL object type it is of."""

    type: str
    value: Any


class Ids:
    """The IDs that a session has given out."""

    def __init__(self) -> None:
        self._known: dict[str, Identified] = {}

    def of(self, type_name: str, value: Any) -> str:
        """Return the ID of ``value`` as an object of type ``type_name``."""
        id_ = base64.urlsafe_b64encode(f"{type_name}@{identity(value)}".encode()).decode()
        if id_ not in self._known:
            self._known[id_] = Identified(type_name, value)
        return id_

    def load(self, id_: str) -> Identified:
        """Return what an ID names.

        Raises:
            UnknownIDError: it is malformed, or another session's.
        """
        try:
            return self._known[id_]
        except KeyError:
            shown = id_ if len(id_) <= 80 else f"{id_[:77]}..."
            raise UnknownIDError(
                f'unknown ID "{shown}": it is not one that this session gave out; '
                "an ID lasts only as long as the session it comes from"
            ) from None


def identity(value: Any) -> str:
    """Return a text that is the same for equal values and different for others.

    A value's own ``digest`` if it has one; otherwise made from the fields of a dataclass.
    """
    digest = getattr(value, "digest", None)
    return digest if isinstance(digest, str) else fingerprint(value)
