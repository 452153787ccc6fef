"""What an update is asked, whom it tells, and what comes of it: between the commands and the deployment.

``infra.engine.deploy.update.update(request, journal, emit)`` runs one operation on one stack.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from infra.engine.values import Properties, Value

if TYPE_CHECKING:
    from infra.engine.display.events import Event
    from infra.engine.protocol.program.launcher import Launcher
    from infra.engine.state.model import Operation, Resource, Snapshot

Kind = Literal["preview", "update", "refresh", "destroy", "import"]
PreviewOf = Literal["update", "refresh", "destroy", "import"]


class Op(StrEnum):
    """What one step does to one resource, in the words of the checkpoint, the events and the plan."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    CREATE_REPLACEMENT = "create-replacement"
    DELETE_REPLACED = "delete-replaced"
    READ = "read"
    READ_REPLACEMENT = "read-replacement"
    REFRESH = "refresh"
    READ_DISCARD = "discard"
    DISCARD_REPLACED = "discard-replaced"
    REMOVE_PENDING_REPLACE = "remove-pending-replace"
    IMPORT = "import"
    IMPORT_REPLACEMENT = "import-replacement"


@dataclass(frozen=True, slots=True)
class Program:
    """A Python program: the project's ``root``, ``main`` below it if not the root, and ``runtime.options``.

    ``virtualenv`` and ``toolchain`` among the options choose the interpreter as Pulumi's language host does.
    """

    project: str
    root: Path
    main: str = ""
    options: Mapping[str, Value] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, Path] = field(default_factory=dict)
    """Folders of providers that Pulumi.yaml names, by package."""
    address: str = ""
    """Where a language runtime listens that runs the program when asked (Automation API, ``--client``).

    Here a language runtime already listens that runs the program when asked (the Automation API's
    ``--client``).
    """


class Stacks(Protocol):
    """Other stacks, for ``pulumi.StackReference``; each raises LookupError with a sentence for a user."""

    async def outputs(self, name: str) -> Properties:
        """The root outputs of stack ``name`` (``org/project/stack`` or shorter), secrets marked."""

    async def resource_outputs(self, name: str) -> Properties:
        """URN to ``{type, outputs}`` for each resource of stack ``name``."""


@dataclass(frozen=True, slots=True)
class Import:
    """One resource for ``pulumi import``: adopted by id, its inputs read from the provider."""

    type: str
    name: str
    id: str
    parent: str = ""
    provider: str = ""
    version: str = ""
    component: bool = False
    properties: tuple[str, ...] = ()
    protect: bool = True


@dataclass(frozen=True, slots=True)
class Goal:  # pylint: disable=too-many-instance-attributes # the format has them
    """What a plan allows for one resource (apitype.GoalV1)."""

    type: str
    name: str
    custom: bool
    adds: Properties = field(default_factory=dict)
    deletes: tuple[str, ...] = ()
    updates: Properties = field(default_factory=dict)
    output_adds: Properties = field(default_factory=dict)
    output_deletes: tuple[str, ...] = ()
    output_updates: Properties = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    dependencies: tuple[str, ...] = ()
    provider: str = ""
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    id: str = ""
    custom_timeouts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """One resource of a plan (apitype.ResourcePlanV1); ``goal`` is None for one that is only deleted."""

    goal: Goal | None
    steps: tuple[Op, ...]
    outputs: Properties = field(default_factory=dict)
    seed: bytes = b""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an approved preview said would be done: URN to plan, and the configuration it was made with."""

    resources: Mapping[str, ResourcePlan]
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpdateRequest:  # pylint: disable=too-many-instance-attributes # as many as flags
    """One operation on one stack.

    ``kind`` "preview" foretells ``preview_of`` and changes nothing. ``config`` is decrypted:
    ``namespace:key`` to text (JSON for an object), with ``secret_config`` naming the secret ones.
    ``targets``, ``replaces`` and ``excludes`` are URNs or globs of them. ``refresh`` reads the cloud
    before anything is planned. ``run_program`` makes ``refresh`` and ``destroy`` run the program too.
    """

    kind: Kind
    stack: str
    project: str
    snapshot: Snapshot | None
    program: Program | None
    launcher: Launcher | None = None
    """The program's interpreter, where it has been started already."""
    preview_of: PreviewOf = "update"
    organization: str = "organization"
    config: Mapping[str, str] = field(default_factory=dict)
    secret_config: frozenset[str] = frozenset()
    blinded_config: Mapping[str, str] = field(default_factory=dict)
    """Secret configuration as it may be shown: of an object, only what is secret in it is blinded."""
    targets: tuple[str, ...] = ()
    target_dependents: bool = False
    replaces: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    exclude_dependents: bool = False
    refresh: bool = False
    run_program: bool = False
    parallel: int = 16
    continue_on_error: bool = False
    ignore_protect: bool = False
    imports: tuple[Import, ...] = ()
    plan: Plan | None = None
    generate_plan: bool = False
    stacks: Stacks | None = None
    analyzers: Sequence[Analyzer] = ()
    debug: bool = False
    show_secrets: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """What a policy has against a resource; a mandatory one fails the update."""

    policy: str
    pack: str
    version: str
    message: str
    level: Literal["advisory", "mandatory"]
    description: str = ""


class Analyzer(Protocol):
    """Policies as code: asked about each resource before its step, and about the whole stack at the end."""

    name: str

    async def analyze(self, urn: str, type_: str, name: str, inputs: Properties) -> Sequence[Violation]:
        """What is wrong with one resource as the program asks for it."""

    async def analyze_stack(self, resources: Sequence[Resource]) -> Sequence[tuple[str, Violation]]:
        """What is wrong with the stack as a whole: (URN, violation)."""


@dataclass(frozen=True, slots=True)
class Change:
    """How the list of resources changes at the end of a step.

    Resources are told apart by identity (``is``), never by value: two versions of a URN may stand side by
    side. In order: ``replaces`` puts a new version where an old one stood, ``removes`` takes old ones
    away, ``appends`` adds after all the others that this update appended and before those it has not come
    to. A ``minor`` change says nothing that a new reader of the old state wouldn't find out by itself: it
    need not be durable at once.
    """

    appends: tuple[Resource, ...] = ()
    removes: tuple[Resource, ...] = ()
    replaces: tuple[tuple[Resource, Resource], ...] = ()
    minor: bool = False


class Journal(Protocol):
    """Where an update writes down what it does, as it does it; each call returns once that is durable."""

    async def begin(self, operation: Operation) -> None:
        """Record that a provider is about to be called: a kill from now on leaves ``operation`` pending."""

    async def end(self, operation: Operation | None, change: Change) -> None:
        """Record how a step ended.

        ``operation`` (the one that was begun, or None) is over, ``change`` holds.
        """

    async def rewrite(self, snapshot: Snapshot) -> None:
        """Start anew from ``snapshot`` (after a refresh has reordered it.

        Or pending operations were mended).
        """


Emit = Callable[["Event"], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    ``changes`` counts resources by operation, as the summary shows them. ``error`` is the sentence after
    "error: " of an update that failed, empty if diagnostics have said all. ``snapshot`` is the state it
    ended in (for a preview, the state foretold).
    """

    result: Literal["succeeded", "failed", "cancelled"]
    changes: Mapping[Op, int]
    snapshot: Snapshot
    seconds: float
    error: str = ""
    plan: Plan | None = None


Update = Callable[[UpdateRequest, Journal, Emit], Awaitable[Outcome]]
"""The shape of ``infra.engine.deploy.update.update``.

Cancelling it (the anyio way) is the second, hard, interrupt.
"""
