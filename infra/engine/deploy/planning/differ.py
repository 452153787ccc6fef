"""Whether a resource has to change, and how.

The provider's answer, or the engine's own comparison of inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.engine.providers.comparison import compared
from infra.engine.providers.contract import Diff, Difference, PropertyDifference, Provider, Target
from infra.engine.values import Properties, Value, paths
from infra.engine.values.compare import bare_properties, contains_unknown, equal

if TYPE_CHECKING:
    from infra.engine.state.model import Resource

INIT_ERROR = "#initerror"
"""What ``replace_on_changes`` names to have a resource replaced that did not come up."""

CHANGED = Diff(changes=True)
SAME = Diff(changes=False)


def ignore_changes(
    inputs: Properties, old: Properties, ignored: Sequence[str]
) -> tuple[Properties, list[str]]:
    """``inputs`` with what is ``ignored`` as it was, and the paths for which that can't be done."""
    impossible: list[str] = []
    for text in ignored:
        try:
            path = paths.parse(text)
        except ValueError:
            continue
        inputs, done = paths.reset(old, inputs, path)
        if not done:
            impossible.append(text)
    return inputs, impossible


async def diff(
    provider: Provider, target: Target, old: Resource, new_inputs: Properties, ignored: Sequence[str]
) -> Diff:
    """What the provider says; where it doesn't know, what has changed in the inputs."""
    answer = await provider.diff(target, old.id, old.inputs, old.outputs, new_inputs, ignored)
    if answer.changes is not None:
        return answer
    kept, _ = ignore_changes(new_inputs, old.inputs, ignored)
    found = compared(bare_properties(old.inputs), bare_properties(kept))
    if not found.changes:
        return replace(answer, changes=False)
    return replace(answer, changes=True, changed=found.changed, detailed=found.detailed)


def replace_on_changes(found: Diff, patterns: Sequence[str], init_errors: bool) -> Diff:
    """``found`` with changes at the places that ``patterns`` name taking a replacement."""
    if not found.changes and not init_errors:
        return found
    wanted = [paths.parse(pattern) for pattern in patterns]

    def forces(text: str) -> bool:
        try:
            path = paths.parse(text)
        except ValueError:
            return False
        return any(paths.contains(pattern, path) for pattern in wanted)

    detailed = {
        path: replace(change, kind=_to_replace(change.kind)) if forces(path) else change
        for path, change in found.detailed.items()
    }
    keys = dict.fromkeys(found.replaces)
    keys.update(dict.fromkeys(key for key in found.changed if forces(key)))
    changes = found.changes
    if init_errors and forces(INIT_ERROR):
        keys[INIT_ERROR] = None
        detailed[INIT_ERROR] = PropertyDifference(Difference.UPDATE_REPLACE, input=False)
        changes = True
    return replace(found, changes=changes, replaces=tuple(keys), detailed=detailed)


def _to_replace(kind: Difference) -> Difference:
    return kind if kind.replaces else Difference(f"{kind.value}-replace")


def takes_replacement(found: Diff) -> bool:
    """Whether the resource can't be changed in place."""
    return bool(found.replaces) or any(change.kind.replaces for change in found.detailed.values())


def triggered(new: Value, old: Value) -> bool:
    """Whether the replacement trigger has changed."""
    if contains_unknown(new) or contains_unknown(old):
        return True
    if new is None or old is None:
        return False
    return not equal(bare_properties({"": new}), bare_properties({"": old}))


def inverted(found: Diff) -> Diff:
    """The same differences seen from the other side.

    What a refresh found, rather than what an update would do.
    """
    other = {"add": "delete", "delete": "add"}
    detailed: Mapping[str, PropertyDifference] = {
        path: replace(change, kind=Difference(_swap(change.kind.value, other)))
        for path, change in found.detailed.items()
    }
    return replace(found, detailed=detailed)


def _swap(kind: str, other: Mapping[str, str]) -> str:
    verb, dash, rest = kind.partition("-")
    return other.get(verb, verb) + dash + rest
