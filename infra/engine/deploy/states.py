"""From what a program asks for to the state that the checkpoint will hold."""

from __future__ import annotations

from dataclasses import replace

from infra.engine.deploy.registration import Reading, Registration, Timeouts
from infra.engine.state.model import Resource
from infra.engine.values import Properties, Secret, Value, paths


def wanted(registration: Registration, urn: str, old: Resource | None, alias: str) -> Resource:
    """The resource as the program wants it, before a provider has seen it.

    ``alias`` is an old URN, or empty.
    """
    return Resource(
        urn=urn,
        type=registration.type,
        custom=registration.custom,
        inputs=registration.properties,
        parent=registration.parent,
        protect=registration.protect,
        dependencies=registration.dependencies,
        provider=registration.provider,
        property_dependencies=registration.property_dependencies,
        additional_secret_outputs=registration.additional_secret_outputs,
        aliases=(alias,) if alias else (),
        custom_timeouts=timeouts(registration.timeouts),
        import_id=registration.import_id,
        retain_on_delete=registration.retain_on_delete,
        deleted_with=registration.deleted_with,
        replace_with=registration.replace_with,
        created=old.created if old else "",
        modified=old.modified if old else "",
        source_position=registration.source_position,
        stack_trace=registration.stack_trace,
        ignore_changes=registration.ignore_changes,
        hide_diff=tuple(paths.parse(path) for path in registration.hide_diff),
        replace_on_changes=registration.replace_on_changes,
        replacement_trigger=registration.replacement_trigger,
        refresh_before_update=old.refresh_before_update if old else False,
        resource_hooks=registration.hooks,
    )


def read(reading: Reading, urn: str, alias: str) -> Resource:
    """An external resource before it has been read."""
    return Resource(
        urn=urn,
        type=reading.type,
        custom=True,
        id=reading.id,
        inputs=reading.properties,
        parent=reading.parent,
        external=True,
        dependencies=reading.dependencies,
        provider=reading.provider,
        additional_secret_outputs=reading.additional_secret_outputs,
        aliases=(alias,) if alias else (),
        source_position=reading.source_position,
        stack_trace=reading.stack_trace,
    )


def timeouts(given: Timeouts) -> dict[str, float]:
    """Timeouts as the state has them: only those that were given."""
    each = {"create": given.create, "update": given.update, "delete": given.delete, "read": given.read}
    return {call: seconds for call, seconds in each.items() if seconds}


def with_secrets(resource: Resource) -> Resource:
    """``resource`` with those outputs secret that are named so, or whose input of the same name is."""
    outputs: Properties = {}
    named = set(resource.additional_secret_outputs) - {"id"}
    for key, value in resource.outputs.items():
        secret = key in named or isinstance(resource.inputs.get(key), Secret)
        outputs[key] = Secret(value) if secret and not isinstance(value, Secret) else value
    return replace(resource, outputs=outputs)


def redacted(value: Value) -> str:
    """A value in a sentence for a user, secrets left out, as Pulumi's engine writes one."""
    if isinstance(value, Secret):
        return "[secret]"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(redacted(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}:{redacted(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)
