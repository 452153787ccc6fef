"""The table of what is served of Dagger's API: ``python -m ci.engine.api.table`` writes ``docs/api.md``."""

from __future__ import annotations

import tempfile
import textwrap
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from ci.engine.api import RESOLVERS, registry, source
from ci.engine.api.execute import LOADING
from ci.engine.api.registry import Registry
from ci.engine.api.schema import FieldSpec, ObjectSpec, Schema, snake

PLACE = Path("docs/api.md")

_FIRST = ("Query", "Container", "Directory", "File", "Host", "Service", "Secret", "CacheVolume", "Changeset")
_HEAD = """\
# What the embedded engine serves of Dagger's API

Written by `python -m ci.engine.api.table` from the schema of `dagger-io` {version} and the engine's
resolvers; a test holds it to them. A field that is refused, or not served yet, answers with an error that
says so: it never guesses. Dagger's own engine serves them all.
"""


def _loads(spec: FieldSpec) -> bool:
    """Whether a field gives the object of an ID, which the engine does for all types alike."""
    return spec.owner == "Query" and LOADING.fullmatch(spec.name) is not None


def state(known: Registry, spec: FieldSpec) -> str:
    """Whether a field is served, refused (and why), or not served yet."""
    key = (spec.owner, snake(spec.name).rstrip("_"))
    if key in known.resolvers or spec.name == "id" or _loads(spec):
        return "served"
    reason = known.refusals.get(key)
    return f"refused: {reason}" if reason else "not served yet"


def rows(known: Registry, type_: ObjectSpec) -> list[tuple[str, str]]:
    """Each field of a type with its state; those that load an object by its ID are one row."""
    fields = sorted(type_.fields.values(), key=lambda spec: spec.name)
    loading = [spec for spec in fields if _loads(spec) and spec.name != "node"]
    found = [(spec.name, state(known, spec)) for spec in fields if spec not in loading]
    return [*found, (f"load...FromID ({len(loading)} fields)", "served")] if loading else found


def lines(known: Registry, schema: Schema) -> Iterator[str]:
    """The document, line by line."""
    yield from _HEAD.format(version=version("dagger-io")).splitlines()
    types = sorted(schema.objects, key=lambda name: (_FIRST.index(name) if name in _FIRST else 99, name))
    tables = {name: rows(known, schema.objects[name]) for name in types}
    served = {name: [row for row in table if row[1] == "served"] for name, table in tables.items()}
    reached = {"Query"} | {
        spec.type.name
        for object_ in schema.objects.values()
        for spec in object_.fields.values()
        if not _loads(spec) and state(known, spec) == "served"
    }
    for name in (each for each in types if each in reached):
        yield from ("", f"## {name}", "", f"{len(served[name])} of {len(tables[name])} served.", "")
        yield from ("| field | |", "| --- | --- |")
        yield from (f"| `{field}` | {what} |" for field, what in tables[name])
    yield from ("", "## Types that nothing served leads to", "")
    absent = ", ".join(f"`{name}`" for name in types if name not in reached)
    yield from textwrap.wrap(f"{absent}.", 118)


def document() -> str:
    """The table for the SDK that is installed here."""
    with tempfile.TemporaryDirectory() as folder:
        schema = source.installed(Path(folder)).schema
    return "\n".join(lines(registry.load(RESOLVERS), schema)) + "\n"


if __name__ == "__main__":
    PLACE.write_text(document(), encoding="utf-8")
