"""Tells of the calls of the API as events: all of them while they are traced, some of them to people.

An SDK sends a chain of calls again for each thing it asks of it; a call is told of once in a session.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ci.engine.api.ids import Identified, identity
from ci.engine.api.schema import FieldSpec
from ci.engine.events import DIGEST, INPUTS, OUTPUT, Events, Step
from ci.engine.graph.fingerprint import fingerprint

#: Calls that do something for the world to see, each time they are made.
ACTIONS = frozenset(
    {
        ("Container", "export"),
        ("Container", "publish"),
        ("Container", "exportImage"),
        ("Directory", "export"),
        ("File", "export"),
        ("Changeset", "export"),
    }
)
#: Calls that take their time, so that people want to see them.
SHOWN = ACTIONS | {
    ("Host", "directory"),
    ("Host", "file"),
    ("Directory", "dockerBuild"),
    ("Container", "build"),
    ("Container", "import"),
    ("Query", "http"),
    ("GitRef", "tree"),
}
_CREDENTIALS = re.compile(r"//[^/@\s]*@")
_ENOUGH = 60  # characters of an argument


class Calls:
    """The calls that a session has told of."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._told: set[str] = set()

    def wanted(self, spec: FieldSpec) -> bool:
        """Whether anybody wants to know of a call."""
        told = self._events.traced and spec.name != "sync"  # which only asks for what has spans of its own
        return told or (spec.owner, spec.name) in SHOWN

    @contextmanager
    def told(
        self, parent: Identified, spec: FieldSpec, arguments: Mapping[str, Any]
    ) -> Iterator[Step | None]:
        """Tell of a call that lasts as long as the block, unless it has been told of: then None."""
        key = (spec.owner, spec.name)
        # What a secret is set to has no place here, not even as a digest: it might be guessed.
        seen = {name: value for name, value in arguments.items() if name != "plaintext"}
        digest = fingerprint("call", identity(parent.value), key, seen)
        if digest in self._told and key not in ACTIONS:
            yield None
            return
        self._told.add(digest)
        around = () if spec.owner == "Query" else (f"sha256:{identity(parent.value)}",)
        attributes = {DIGEST: f"sha256:{digest}", INPUTS: around}
        shown = key in SHOWN
        name = _title(spec, arguments) if shown else f"{spec.owner}.{spec.name}"
        with self._events.step(name, attributes, call=not shown) as step:
            yield step


def note(step: Step | None, value: Any) -> None:
    """Tell which object a call gave."""
    if step is not None and isinstance(value, Identified):
        step.attributes[OUTPUT] = f"sha256:{identity(value.value)}"


def _title(spec: FieldSpec, arguments: Mapping[str, Any]) -> str:
    """A call as Dagger writes it, with the arguments that are short texts."""
    shown = []
    for argument in spec.arguments.values():
        value = arguments.get(argument.parameter)
        if isinstance(value, str) and value and argument.expects is None and argument.required:
            text = _CREDENTIALS.sub("//***@", value)
            shown.append(f'{argument.name}: "{text if len(text) <= _ENOUGH else f"{text[:_ENOUGH]}..."}"')
    return f"{spec.owner}.{spec.name}({', '.join(shown)})" if shown else f"{spec.owner}.{spec.name}"
