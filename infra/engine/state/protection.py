"""What has to stay so that all that is protected can stay (``pulumi destroy --exclude-protected``)."""

from __future__ import annotations

from infra.engine.deploy import graph
from infra.engine.state.model import Snapshot


def kept(snapshot: Snapshot) -> tuple[str, ...]:
    """The URNs of the protected resources and of all that they depend on, in the order of the state."""
    wanted = {each.urn for each in snapshot.resources if each.protect}
    for each in reversed(snapshot.resources):  # what is needed comes before what needs it
        if each.urn in wanted:
            wanted.update(graph.all_of(each))
    return tuple(dict.fromkeys(each.urn for each in snapshot.resources if each.urn in wanted))
