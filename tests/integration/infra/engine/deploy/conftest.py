"""Real Pulumi programs, run by the unmodified SDK in a process of their own, on a stack kept in memory."""

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import anyio
import pytest

from infra.engine.deploy import urns
from infra.engine.deploy.contract import Outcome, Program, UpdateRequest
from infra.engine.deploy.steps.ledger import Ledger
from infra.engine.deploy.update import update
from infra.engine.display import events
from infra.engine.state.model import Snapshot

PRELUDE = """\
import os, pulumi
from pulumi import ResourceOptions as Opts
from pulumi.dynamic import *

mode = os.environ.get("MODE", "")
log = os.environ["LOG"]


def note(*words):
    with open(log, "a") as file:
        print(*words, file=file)


class Things(ResourceProvider):
    def check(self, olds, news):
        bad = [CheckFailure("bad", "is not allowed")] if news.get("bad") else []
        return CheckResult(news, bad)

    def create(self, props):
        note("create", props["name"])
        if props.get("fail") == "create":
            raise Exception("no such luck")
        return CreateResult("id-" + props["name"], {**props, "shout": str(props.get("value")).upper()})

    def diff(self, id, olds, news):
        changed = [key for key in ("key", "value", "fail") if olds.get(key) != news.get(key)]
        return DiffResult(bool(changed), ["key"] if "key" in changed else [])

    def update(self, id, olds, news):
        note("update", news["name"])
        return UpdateResult({**news, "shout": str(news.get("value")).upper()})

    def delete(self, id, props):
        note("delete", props["name"])
        if props.get("fail") == "delete":
            raise Exception("it holds on")

    def read(self, id, props):
        return ReadResult("" if os.path.exists(log + ".gone-" + props["name"]) else id, props)


class Plain(Resource):
    pass


class Thing(Resource):
    shout: pulumi.Output[str]

    def __init__(self, name, opts=None, **props):
        super().__init__(Things(), name, {"shout": None, "name": name, **props}, opts)

"""


@dataclass
class Stack:
    """A stack of one program; each operation starts from the state that the last one left."""

    folder: Path
    snapshot: Snapshot | None = None
    seen: list[events.Event] = field(default_factory=list)
    journal: "Recorder" = field(init=False)

    def program(self, text: str) -> None:
        """Make ``text`` the program."""
        (self.folder / "__main__.py").write_text(PRELUDE + dedent(text))

    async def run(
        self, kind: str, *, mode: str = "", interrupt: anyio.Event | None = None, variables=None, **options
    ) -> Outcome:
        """Run one operation."""
        environment = {"MODE": mode, "LOG": str(self.log), **(variables or {})}
        request = UpdateRequest(
            kind=kind,
            stack="dev",
            project="shop",
            snapshot=self.snapshot,
            program=Program("shop", self.folder, environment=environment),
            **options,
        )
        self.seen = []
        self.journal = Recorder(self.snapshot)
        outcome = await update(request, self.journal, self.seen.append, interrupt)
        if kind != "preview":
            assert self.journal.ledger.resources() == list(outcome.snapshot.resources)
            self.snapshot = outcome.snapshot
        return outcome

    async def up(self, **options) -> Outcome:
        """Update."""
        return await self.run("update", **options)

    @property
    def log(self) -> Path:
        """Where the provider notes what it was asked."""
        return self.folder / "log"

    def asked(self) -> list[str]:
        """What the provider was asked since the last time."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines

    @staticmethod
    def counted(outcome: Outcome) -> dict[str, int]:
        """The summary's counts by operation."""
        return {str(op): count for op, count in outcome.changes.items()}

    def names(self) -> list[str]:
        """The stack's resources, providers aside, in the order of the checkpoint."""
        resources = self.snapshot.resources if self.snapshot else ()
        return [resource.name for resource in resources if not urns.is_provider(resource.type)]

    def resource(self, name: str):
        """The resource of that name."""
        found = [each for each in self.snapshot.resources if each.name == name and not each.delete]
        assert len(found) == 1, self.names()
        return found[0]

    def said(self, severity: str = "error") -> str:
        """All messages of a severity."""
        return "".join(
            event.message
            for event in self.seen
            if isinstance(event, events.DiagnosticEvent) and event.severity == severity
        )

    def steps(self) -> list[tuple[str, str]]:
        """(operation, resource name) of each step that began."""
        return [
            (event.metadata.op, event.metadata.urn.split("::")[-1])
            for event in self.seen
            if isinstance(event, events.ResourcePreEvent)
        ]


class Recorder:
    """A journal in memory, which holds the engine to what it promises a journal."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self.pending = []
        self.begun = []
        self.ledger = Ledger(snapshot.resources if snapshot else ())

    async def begin(self, operation) -> None:
        self.pending.append(operation)
        self.begun.append((operation.type, operation.resource.name))

    async def end(self, operation, change) -> None:
        if operation is not None:
            self.pending.remove(operation)
        self.ledger.apply(change)

    async def rewrite(self, snapshot: Snapshot) -> None:
        self.ledger.rebase(snapshot.resources)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def stack(tmp_path):
    return Stack(tmp_path)
