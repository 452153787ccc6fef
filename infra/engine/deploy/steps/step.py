"""One step of a deployment: what is done to one resource, as planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.engine.deploy import urns
from infra.engine.deploy.contract import Op
from infra.engine.providers.contract import PropertyDifference

if TYPE_CHECKING:
    from infra.engine.state.model import Resource

_UNLOGICAL = {
    Op.CREATE_REPLACEMENT,
    Op.DELETE_REPLACED,
    Op.DISCARD_REPLACED,
    Op.READ_REPLACEMENT,
    Op.IMPORT_REPLACEMENT,
    Op.REMOVE_PENDING_REPLACE,
    Op.REFRESH,
}


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to one resource.

    ``old`` is the state before, ``new`` the one that is wanted, each None if there is none. ``keys`` are
    the properties that take a replacement, ``diffs`` those that differ. ``pending_delete``: the old
    resource goes at the end, once its replacement is there; ``pending_replacement``: it goes first.
    ``skipped``: a create that is left out, because the operation is confined to other resources;
    ``untargeted``: a resource left as it is for the same reason.
    """

    op: Op
    old: Resource | None = None
    new: Resource | None = None
    keys: tuple[str, ...] = ()
    diffs: tuple[str, ...] = ()
    detailed: Mapping[str, PropertyDifference] | None = None
    ignored: tuple[str, ...] = ()
    pending_delete: bool = False
    pending_replacement: bool = False
    skipped: bool = False
    untargeted: bool = False
    internal: bool = False
    seed: bytes = b""

    @property
    def resource(self) -> Resource:
        """The resource that the step is about, in its latest state."""
        resource = self.new or self.old
        if resource is None:
            raise ValueError(f"a {self.op} step needs a resource")
        return resource

    @property
    def urn(self) -> str:
        """The name of that resource."""
        return self.resource.urn

    @property
    def logical(self) -> bool:
        """Whether it counts as one operation of the program's, rather than as a part of a replacement."""
        return self.op not in _UNLOGICAL

    @property
    def hidden(self) -> bool:
        """Whether it is the engine's own business, which displays leave out."""
        return self.untold or urns.is_default_provider(self.urn)

    @property
    def untold(self) -> bool:
        """Whether not even the event log has it."""
        return self.internal or self.op is Op.REMOVE_PENDING_REPLACE


def same(old: Resource, new: Resource, untargeted: bool = False) -> Step:
    """Nothing to do."""
    return Step(Op.SAME, old, new, untargeted=untargeted)


def delete(old: Resource) -> Step:
    """Take a resource away that the program no longer wants."""
    return Step(Op.READ_DISCARD if old.external else Op.DELETE, old)


def delete_replaced(old: Resource, pending_replacement: bool) -> Step:
    """Take a resource away that was, or is going to be, replaced."""
    op = Op.DISCARD_REPLACED if old.external else Op.DELETE_REPLACED
    return Step(op, old, pending_replacement=pending_replacement)
