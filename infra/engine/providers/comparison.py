"""What differs between two versions of a resource's inputs, as a provider says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from infra.engine.providers.contract import Diff, Difference, PropertyDifference
from infra.engine.values import Properties
from infra.engine.values.compare import edits
from infra.engine.values.paths import text_of


def compared(
    old: Properties,
    new: Properties,
    *,
    ignored: Sequence[str] = (),
    replacing: Callable[[str], bool] = lambda _key: False,
) -> Diff:
    """The changes from ``old`` to ``new`` inputs, by path.

    Those below an ``ignored`` key are left out; those below one that is ``replacing`` take a replacement.
    """
    changed = [edit for edit in edits(old, new) if edit.path[0] not in ignored]
    keys = tuple(dict.fromkeys(str(edit.path[0]) for edit in changed))
    detailed = {
        text_of(edit.path): PropertyDifference(
            Difference(f"{edit.kind}-replace" if replacing(str(edit.path[0])) else edit.kind)
        )
        for edit in changed
    }
    replaces = tuple(key for key in keys if replacing(key))
    return Diff(changes=bool(changed), replaces=replaces, changed=keys, detailed=detailed)
