"""What has to stay so that all that is protected can stay (``pulumi destroy --exclude-protected``)."""

from __future__ import annotations

from infra.engine.deploy import urns
from infra.engine.state.model import Resource, Snapshot


def kept(snapshot: Snapshot) -> tuple[str, ...]:
    """The URNs of the protected resources and of all that they depend on, in the order of the state."""
    wanted = {each.urn for each in snapshot.resources if each.protect}
    for each in reversed(snapshot.resources):  # what is needed comes before what needs it
        if each.urn in wanted:
            wanted.update(_needs(each))
    return tuple(dict.fromkeys(each.urn for each in snapshot.resources if each.urn in wanted))


def _needs(resource: Resource) -> set[str]:
    needed = {resource.parent, resource.deleted_with, *resource.dependencies, *resource.replace_with}
    needed |= {urn for targets in resource.property_dependencies.values() for urn in targets}
    if resource.provider:
        needed.add(urns.parse_reference(resource.provider)[0])
    return needed - {""}
