"""What ``pulumi import`` is to adopt: from its arguments, or a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.state import gojson
from infra.engine.state.model import Snapshot

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation
    from infra.engine.deploy.contract import Import, Outcome


def given_imports(call: Invocation) -> tuple[Import, ...]:
    """The resources to import. Raises ExitError if they are not given rightly."""
    from infra.engine.deploy.contract import Import

    if call.flags["from"]:
        raise ExitError("import --from needs a converter, which the embedded engine does not run: use --file")
    if call.flags["file"]:
        return _from_file(Path(call.flags["file"]), protect=call.flags["protect"])
    if len(call.words) != 3:
        raise ExitError("an inline resource must be specified as type, name and id, or use --file")
    type_, name, identifier = call.words
    return (
        Import(
            type_,
            name,
            identifier,
            parent=call.flags["parent"].partition("=")[2],
            provider=call.flags["provider"].partition("=")[2],
            properties=tuple(item for text in call.flags["properties"] for item in text.split(",")),
            protect=call.flags["protect"],
        ),
    )


def _from_file(path: Path, *, protect: bool) -> tuple[Import, ...]:
    from infra.engine.deploy.contract import Import

    try:
        document = json.loads(path.read_bytes())
        table: dict[str, str] = document.get("nameTable") or {}
        return tuple(
            Import(
                item["type"],
                item["name"],
                item.get("id", ""),
                parent=table.get(item.get("parent", ""), item.get("parent", "")),
                provider=table.get(item.get("provider", ""), item.get("provider", "")),
                version=item.get("version", ""),
                component=item.get("component", False),
                properties=tuple(item.get("properties") or ()),
                protect=protect,
            )
            for item in document["resources"]
        )
    except OSError as error:
        raise ExitError(f"could not read import file: open {path}: {error.strerror}") from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ExitError(
            f'could not read import file {path}: it must be {{"resources": [{{"type", "name", "id"}}, ...]}}'
        ) from error


def write_creates(path: str, before: Snapshot, outcome: Outcome) -> None:
    """Write what a preview would create as a file for ``pulumi import``, ids to be filled in."""
    known = {resource.urn for resource in before.resources}
    entries: list[dict[str, Any]] = [
        {"type": resource.type, "name": resource.name, "id": "<PLACEHOLDER>"}
        for resource in outcome.snapshot.resources
        if resource.urn not in known and resource.custom and not resource.type.startswith("pulumi:")
    ]
    Path(path).write_text(gojson.dumps({"resources": entries}, indent=4) + "\n", encoding="utf-8")
