"""What a module's code may not ask for, though a script may: whatever is on the host of the one who calls it.

In Dagger a module's host is its own container. What it needs of its caller's is passed to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ci.engine.errors import EngineError

if TYPE_CHECKING:
    from ci.engine.api.schema import FieldSpec

#: Fields that lead to the host: its files, sockets, ports, programs, and secrets that it has.
_OF_THE_HOST = frozenset(
    {
        ("Query", "host"),
        ("Query", "moduleSource"),
        ("Address", "secret"),
        ("Address", "service"),
        ("Address", "socket"),
        ("Container", "export"),
        ("Container", "exportImage"),
        ("Container", "terminal"),
        ("Container", "up"),
        ("Changeset", "export"),
        ("Directory", "export"),
        ("Directory", "terminal"),
        ("File", "export"),
        ("Service", "terminal"),
        ("Service", "up"),
    }
)
_NESTING = "experimental_privileged_nesting"


def check(field: FieldSpec, arguments: Mapping[str, Any]) -> None:
    """EngineError when a field, so called, is not for a module's code."""
    if (field.owner, field.name) in _OF_THE_HOST:
        raise refusal(str(field))
    if arguments.get(_NESTING):
        raise EngineError(
            f"{field}: a module's code has no session to share; call Dagger's API in the function"
        )


def refusal(what: str) -> EngineError:
    """The error for something of the host."""
    return EngineError(
        f"{what} is not for a module's function: it does not see the host of its caller; "
        "take a Directory, File, Secret, Service or Socket as an argument, and return what is to be exported"
    )
