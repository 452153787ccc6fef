"""``pulumi stack`` and ``pulumi stack output``: what a stack has, and what it gives."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line.text import age, json_text, parse_time, table
from infra.engine.commands.session import snapshot_of
from infra.engine.state import gojson
from infra.engine.state.model import Resource, Snapshot
from infra.engine.values import Output, Properties, Secret, Unknown, Value

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def show(call: Invocation) -> None:
    """Tell of the stack: when it was updated, its resources as a tree, its outputs."""
    stack = call.stack
    if call.flags["show-name"]:
        print(stack.qualified if call.flags["fully-qualify-stack-names"] else stack.name)
        return
    snapshot = snapshot_of(call, stack, None)
    outputs = plain_outputs(snapshot, show_secrets=call.flags["show-secrets"])
    if call.json:
        print(json_text(_document(call, snapshot, outputs)))
        return
    print(f"Current stack is {call.shown(stack)}:\n    Managed by {socket.gethostname()}")
    moment = parse_time(snapshot.manifest.time)
    if moment is None:
        print("    No updates yet; run `pulumi up`")
    else:
        print(f"    Last updated: {age(moment)} ({_precisely(snapshot.manifest.time)})")
    if snapshot.manifest.version:
        print(f"    Pulumi version used: {snapshot.manifest.version}")
    if any(lock for lock in call.backend.locks(stack).held()):
        print("    An update holds the stack's lock, or one was cut short: `pulumi cancel` takes it away")
    _pending(snapshot)
    print(f"Current stack resources ({len(snapshot.resources)}):")
    if snapshot.resources:
        rows = list(_tree(snapshot, urns=call.flags["show-urns"], ids=call.flags["show-ids"]))
        print(_tree_table(rows))
        print()
        _print_outputs(outputs)
    else:
        print("    No resources currently in this stack")
    print("\nUse `pulumi stack select` to change stack; `pulumi stack ls` lists known ones")


def _precisely(time: str) -> str:
    """RFC 3339 as Go prints a time in UTC."""
    day, _, rest = time.removesuffix("Z").partition("T")
    return f"{day} {rest.rstrip('0') if '.' in rest else rest} +0000 UTC"


def _pending(snapshot: Snapshot) -> None:
    if not snapshot.pending_operations:
        return
    print(f"Pending operations ({len(snapshot.pending_operations)}), of an update that was cut short:")
    for operation in snapshot.pending_operations:
        print(f"    {operation.type} {operation.resource.urn}")
    print("    the next `pulumi up` or `pulumi refresh` asks the cloud what became of them")


def _tree(snapshot: Snapshot, *, urns: bool, ids: bool) -> Iterator[tuple[str, str]]:
    children: dict[str, list[Resource]] = {}
    known = {resource.urn for resource in snapshot.resources}
    root = snapshot.root
    for resource in snapshot.resources:
        parent = resource.parent if resource.parent in known else ""
        if not parent and root is not None and not resource.is_root:
            parent = root.urn
        children.setdefault(parent, []).append(resource)

    def lines(resource: Resource, first: str, rest: str) -> Iterator[tuple[str, str]]:
        below = children.get(resource.urn, [])
        below = sorted(below, key=lambda child: not child.parent)  # those that the engine made come last
        yield f"{first}{resource.type}", resource.name
        rail = "│  " if below else "   "
        if urns:
            yield f"{rest}{rail}URN: {resource.urn}", ""
        if ids and resource.id:
            yield f"{rest}{rail}ID: {resource.id}", ""
        for child in below:
            last = child is below[-1]
            yield from lines(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))

    for resource in children.get("", []):
        yield from lines(resource, "", "")


def _tree_table(rows: list[tuple[str, str]]) -> str:
    width = max([len("TYPE"), *(len(left) for left, name in rows if name)])
    lines = [("TYPE", "NAME"), *rows]
    return "\n".join(f"    {left:<{width + 2}}{name}" if name else f"    {left}" for left, name in lines)


def _print_outputs(outputs: dict[str, Any]) -> None:
    print(f"Current stack outputs ({len(outputs)}):")
    if not outputs:
        print("    No output values currently in this stack")
        return
    rows = [(name, as_text(outputs[name])) for name in sorted(outputs)]
    print(table(("OUTPUT", "VALUE"), rows, "    "))


def as_text(value: Any) -> str:
    """An output as a line: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else gojson.dumps(value)


def plain_outputs(snapshot: Snapshot, *, show_secrets: bool) -> dict[str, Any]:
    """The stack's outputs as plain JSON."""
    root = snapshot.root
    outputs: Properties = root.outputs if root else {}
    return {name: plain(outputs[name], show_secrets=show_secrets) for name in sorted(outputs)}


def plain(value: Value, *, show_secrets: bool) -> Any:
    """A value as plain JSON, secrets blinded unless they are to be shown."""
    from infra.engine.state.properties import encode

    match value:
        case Secret():
            return plain(value.element, show_secrets=show_secrets) if show_secrets else "[secret]"
        case Output():
            return plain(Secret(value.element) if value.secret else value.element, show_secrets=show_secrets)
        case Unknown():
            return None
        case dict():
            return {key: plain(value[key], show_secrets=show_secrets) for key in sorted(value)}
        case list():
            return [plain(item, show_secrets=show_secrets) for item in value]
    return encode(value, None)


def _document(call: Invocation, snapshot: Snapshot, outputs: dict[str, Any]) -> dict[str, Any]:
    resources = [
        {"urn": r.urn, "type": r.type, "name": r.name} | ({"id": r.id} if r.id else {})
        for r in snapshot.resources
    ]
    return {
        "name": call.shown(call.stack),
        "fullyQualifiedName": call.stack.qualified,
        "lastUpdate": snapshot.manifest.time,
        "resources": resources,
        "outputs": outputs,
    }


def output(call: Invocation) -> None:
    """Print the outputs, or one of them."""
    if call.json and call.flags["shell"]:
        raise ExitError("only one of --json and --shell may be set")
    snapshot = snapshot_of(call, call.stack, None)
    outputs = plain_outputs(snapshot, show_secrets=call.flags["show-secrets"])
    if call.words:
        name = call.words[0]
        if name not in outputs:
            raise ExitError(f"current stack does not have output property '{name}'")
        value = outputs[name]
        if call.flags["shell"]:
            print(f"{name}={_shell(value)}")
        else:
            print(json_text(value) if call.json else as_text(value))
    elif call.json:
        print(json_text(outputs))
    elif call.flags["shell"]:
        for name, value in outputs.items():
            print(f"{name}={_shell(value)}")
    else:
        _print_outputs(outputs)


def _shell(value: Any) -> str:
    text = as_text(value)
    if not text:
        return "''"
    return re.sub(r"([^A-Za-z0-9_@%+=:,./\-\]\u0080-\U0010ffff])", r"\\\1", text)
