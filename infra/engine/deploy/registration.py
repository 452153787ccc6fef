"""What a program asks for, resource by resource, as it came over the protocol: the desired state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from infra.engine.values import Properties, Value


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that a resource may have had: a URN, or what of its name was different."""

    urn: str = ""
    name: str = ""
    type: str = ""
    parent: str = ""
    no_parent: bool = False
    project: str = ""
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that a provider may take; 0 for its own default."""

    create: float = 0
    update: float = 0
    delete: float = 0
    read: float = 0


@dataclass(frozen=True, slots=True)
class Registration:  # pylint: disable=too-many-instance-attributes # as many as options
    """A resource as the program wants it."""

    type: str
    name: str
    custom: bool
    properties: Properties = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    replacement_trigger: Value = None
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
    import_id: str = ""
    timeouts: Timeouts = Timeouts()
    retain_on_delete: bool = False
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    hide_diff: tuple[str, ...] = ()
    source_position: str = ""
    stack_trace: tuple[str, ...] = ()
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """A resource that the program looks at and doesn't own (``Resource.get``)."""

    type: str
    name: str
    id: str
    properties: Properties = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    source_position: str = ""
    stack_trace: tuple[str, ...] = ()


class Result(Enum):
    """How a registration went."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Registered:
    """What the program is told; ``unknown``: the resource was left out, so that nothing is known of it."""

    urn: str
    id: str = ""
    outputs: Properties = field(default_factory=dict)
    result: Result = Result.SUCCEEDED
    unknown: bool = False
