"""A stack's state in memory: what DeploymentV3 of Pulumi's checkpoint format holds, with secrets decrypted.

The fields are those of apitype.ResourceV3, OperationV2, ManifestV1 and DeploymentV3
(sdk/go/common/apitype/core.go). Times are RFC 3339 text, kept as written: a nanosecond lost would be a
difference made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from infra.engine.values import Properties, Value

ROOT_STACK_TYPE = "pulumi:pulumi:Stack"

OperationType = Literal["creating", "updating", "deleting", "reading", "importing"]


def timestamp() -> str:
    """Now, as the checkpoint writes times: UTC with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Resource:  # pylint: disable=too-many-instance-attributes  # as many as ResourceV3 has
    """One resource as it was last known.

    ``delete`` marks one that was replaced and is yet to be deleted; ``pending_replacement`` one that was
    deleted and is yet to be made again. ``provider`` is ``URN::ID`` of its provider. ``custom_timeouts`` are
    seconds by ``create``, ``update``, ``delete`` and ``read``. ``hide_diff`` holds property paths as lists.
    """

    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    delete: bool = False
    parent: str = ""
    protect: bool = False
    taint: bool = False
    external: bool = False
    dependencies: tuple[str, ...] = ()
    init_errors: tuple[str, ...] = ()
    provider: str = ""
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    custom_timeouts: Mapping[str, float] = field(default_factory=dict)
    import_id: str = ""
    retain_on_delete: bool = False
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    created: str = ""
    modified: str = ""
    source_position: str = ""
    stack_trace: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    hide_diff: tuple[tuple[str | int, ...], ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    replacement_trigger: Value = None
    refresh_before_update: bool = False
    view_of: str = ""
    resource_hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extension_ref: str = ""
    snippet_id: str = ""

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.split("::", 3)[-1]

    @property
    def is_root(self) -> bool:
        """Whether this is the stack itself, whose outputs are the stack's."""
        return self.type == ROOT_STACK_TYPE and not self.parent


@dataclass(frozen=True, slots=True)
class Operation:
    """A call to a provider whose end is not known: ``resource`` is the state that it was begun with."""

    resource: Resource
    type: OperationType


@dataclass(frozen=True, slots=True)
class Manifest:
    """When, and by which version of Pulumi, the state was written; ``magic`` is the version's hex SHA-256."""

    time: str = ""
    magic: str = ""
    version: str = ""
    plugins: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SecretsProvider:
    """How the state's secrets are encrypted: ``passphrase`` with its salt is the one that is served."""

    type: str
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of a stack: resources so ordered that each comes after what it depends on.

    ``metadata``, ``snippets`` and ``extensions`` are carried along as they were read.
    """

    manifest: Manifest = field(default_factory=Manifest)
    resources: tuple[Resource, ...] = ()
    pending_operations: tuple[Operation, ...] = ()
    secrets_provider: SecretsProvider | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    snippets: tuple[Mapping[str, Any], ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def root(self) -> Resource | None:
        """The stack's own resource, or None before the first update."""
        return next((resource for resource in self.resources if resource.is_root), None)
