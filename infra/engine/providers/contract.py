"""What a provider is: Pulumi's provider protocol (provider.proto) as a Python class.

For providers in this process.
"""

# The methods' parameters are the protocol's, ``id`` among them, whether a method has a use for them or not.
# pylint: disable=unused-argument,redefined-builtin

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infra.engine.values import Properties


class ProviderError(Exception):
    """A provider could not do what it was asked; the text is for a user."""


class UnknownOutcomeError(ProviderError):
    """Nobody knows whether a call was carried out: it stays pending, for the next update to find out."""


class InitError(ProviderError):
    """The resource was made (or updated, or read), and then did not come up: it is kept, with the reasons."""

    def __init__(
        self, id: str, outputs: Properties, reasons: Sequence[str], inputs: Properties | None = None
    ) -> None:
        super().__init__("; ".join(reasons))
        self.id = id
        self.outputs = outputs
        self.reasons = tuple(reasons)
        self.inputs = inputs


class Difference(StrEnum):
    """How one property differs, and whether that takes a replacement."""

    ADD = "add"
    ADD_REPLACE = "add-replace"
    DELETE = "delete"
    DELETE_REPLACE = "delete-replace"
    UPDATE = "update"
    UPDATE_REPLACE = "update-replace"

    @property
    def replaces(self) -> bool:
        """Whether it takes a replacement."""
        return self.value.endswith("-replace")


@dataclass(frozen=True, slots=True)
class PropertyDifference:
    """``input`` says that the new inputs were compared with the old inputs.

    Rather than with the old outputs.
    """

    kind: Difference
    input: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that the provider refuses: ``property`` is its path, empty for the resource as a whole."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Inputs with defaults filled in, and what is wrong with them."""

    inputs: Properties
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """What must happen to make a resource as the new inputs say.

    ``changes`` None means that the provider does not know, and the engine compares inputs itself.
    ``replaces`` names properties that take a replacement; ``stable`` outputs that an update will not
    change; ``detailed`` is keyed by property path (``a.b[0]``).
    """

    changes: bool | None = None
    replaces: tuple[str, ...] = ()
    stable: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    delete_before_replace: bool = False
    detailed: Mapping[str, PropertyDifference] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Created:
    """A resource's new id (empty in a preview, if not known) and all its outputs."""

    id: str
    outputs: Properties
    refresh_before_update: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as it is: ``id`` empty means that there is none. ``inputs`` None.

    The provider doesn't tell.
    """

    id: str
    outputs: Properties = field(default_factory=dict)
    inputs: Properties | None = None
    refresh_before_update: bool = False


GONE = Found("")


@dataclass(frozen=True, slots=True)
class Called:
    """What an invoke or a call returned, or what is wrong with its arguments."""

    result: Properties
    failures: tuple[Failure, ...] = ()
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """Which resource a call is about; ``timeout`` in seconds, 0 for the provider's own."""

    urn: str
    type: str
    name: str
    timeout: float = 0


class Provider:
    """One configured provider; calls may run side by side. What a subclass doesn't define does the least.

    Values given carry no ``Output``; they carry ``Secret`` only when ``secrets`` is true (otherwise the
    engine marks the outputs secret where the inputs were) and ``Unknown`` in previews alone.
    """

    package = ""
    version = ""
    secrets = False
    """Whether secrets are given marked, and answered marked."""
    previews = False
    """Whether ``create`` and ``update`` can be asked with ``preview=True``."""

    async def check_config(self, target: Target, olds: Properties, news: Properties) -> Checked:
        """Validate the provider's own configuration."""
        return Checked(news)

    async def diff_config(
        self, target: Target, olds: Properties, news: Properties, ignored: Sequence[str]
    ) -> Diff:
        """Whether other configuration makes another provider (a replacement replaces all its resources)."""
        return Diff()

    async def configure(self, inputs: Properties) -> None:
        """Take the checked configuration; called once, before anything but check_config and diff_config."""

    async def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        """Validate ``news`` and fill in defaults; ``olds`` are the last inputs.

        ``seed`` feeds random names.
        """
        return Checked(news)

    async def diff(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
    ) -> Diff:
        """What must happen for the resource to be as ``news`` say."""
        return Diff()

    async def create(self, target: Target, inputs: Properties, preview: bool) -> Created:
        """Make the resource. Raises InitError if it is there but not well."""
        raise ProviderError(f"{self.package} has no resource {target.type}")

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        """The resource as it is.

        ``inputs`` and ``state`` are the last known, empty for an import or a get.
        """
        raise ProviderError(f"{self.package} has no resource {target.type}")

    async def recover(self, target: Target, inputs: Properties) -> Found | None:
        """What an interrupted ``create`` with these inputs has left: GONE if nothing, None if none can tell.

        A provider that names things by their inputs alone can tell, and so leaves no orphan after a crash.
        """
        return None

    async def update(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
        preview: bool,
    ) -> Properties:
        """Change the resource and answer all its outputs. Raises InitError if it is changed but not well."""
        raise ProviderError(f"{self.package} has no resource {target.type}")

    async def delete(self, target: Target, id: str, inputs: Properties, outputs: Properties) -> None:
        """Take the resource away; one that is gone already is no error."""
        raise ProviderError(f"{self.package} has no resource {target.type}")

    async def invoke(self, token: str, arguments: Properties) -> Called:
        """Call a function (a data source)."""
        raise ProviderError(f"{self.package} has no function {token}")

    async def construct(self, request: Any) -> Any:
        """Make a component of the provider's own, and what is in it.

        Request and answer are Construct's of provider.proto: the provider registers resources with the
        monitor that the request names.
        """
        raise ProviderError(f"{self.package} has no component {request.type}")

    async def call(self, request: Any) -> Any:
        """Call a method of a resource. Request and answer are Call's of provider.proto."""
        raise ProviderError(f"{self.package} has no method {request.tok}")

    async def cancel(self) -> None:
        """Give up what is under way as soon as that leaves nothing half-made."""

    async def close(self) -> None:
        """Let go of connections and processes."""
