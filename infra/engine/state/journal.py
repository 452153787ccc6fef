"""The journal of an update: what is durable before each call to a provider, and after each step.

The checkpoint is rewritten whole at each begin and end as long as it is small, so that any Pulumi finds
the truth in it at any instant. Rewriting a large one for each step would cost the square of the number of
resources. So past ``SMALL`` bytes a step appends to a journal beside the checkpoint, which is rewritten
when the journal has outgrown it (which at most doubles what is written), when nothing was to write for
``IDLE`` seconds, and at the end. A checkpoint that lags behind its journal is marked as needing a
feature: this engine folds the journal in whenever it reads the stack, and one that does not know how
refuses the checkpoint instead of believing it. A watcher process folds it in as soon as this one is gone,
so that even after a kill the mark is there for an instant only.

Steps that end at the same time are written together.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from infra.engine.state import files, serialize
from infra.engine.state.backend import Backend
from infra.engine.state.ledger import Entry, Ledger, Record, section
from infra.engine.state.model import Operation, Resource, SecretsProvider, Snapshot, timestamp
from infra.engine.state.properties import Cipher
from infra.engine.state.reference import Reference
from infra.engine.state.watch import Watcher

if TYPE_CHECKING:
    from infra.engine.deploy.contract import Change

SMALL = 256 * 1024
IDLE = 0.25


@asynccontextmanager
async def recording(
    backend: Backend, stack: Reference, snapshot: Snapshot, cipher: Cipher | None, version: str
) -> AsyncIterator[Journal]:
    """The journal of one update on ``stack``, which must be locked.

    On the way out the checkpoint is whole.
    """
    journal = Journal(backend, stack, snapshot, cipher, version)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(journal.fold_when_idle)
        try:
            yield journal
        finally:
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await journal.close()


class Journal:  # pylint: disable=too-many-instance-attributes
    """See ``recording``. ``begin`` and ``end`` return once what they were told is durable."""

    def __init__(
        self, backend: Backend, stack: Reference, snapshot: Snapshot, cipher: Cipher | None, version: str
    ) -> None:
        self._backend = backend
        self._stack = stack
        self._cipher = cipher
        self._version = version
        self._numbers: dict[int, int] = {}
        self._held: dict[int, object] = {}
        self._next = 0
        self._provider = snapshot.secrets_provider
        self._ledger = self._load(snapshot)
        self._records: list[Record] = []
        self._told = self._durable = 0
        self._unwritten = False
        self._backed_up = False
        self._lagging = False
        self._journalled = 0
        self._size = 0
        self._writing = anyio.Lock()
        self._stirred = anyio.Event()
        self._watcher: Watcher | None = None

    def _load(self, snapshot: Snapshot) -> Ledger:
        deployment, _ = serialize.deployment_json(
            replace(snapshot, resources=(), pending_operations=()), self._cipher
        )
        ledger = Ledger.of(deployment)
        self._numbers, self._held = {}, {}
        for resource in snapshot.resources:
            ledger.old[self._number(resource)] = self._entry(resource)
        for operation in snapshot.pending_operations:
            ledger.pending[self._number(operation)] = Entry.of(
                serialize.operation_json(operation, self._cipher)
            )
        return ledger

    def _number(self, thing: Resource | Operation) -> int:
        """A new number for ``thing``, which is told apart by identity: it must not be collected meanwhile."""
        number = self._next
        self._next += 1
        self._numbers[id(thing)] = number
        self._held[number] = thing
        return number

    def _forget(self, thing: Resource | Operation) -> int:
        number = self._numbers.pop(id(thing))
        del self._held[number]
        return number

    def _entry(self, resource: Resource) -> Entry:
        plain = replace(resource, aliases=()) if resource.aliases else resource
        return Entry.of(serialize.resource_json(plain, self._cipher))

    async def begin(self, operation: Operation) -> None:
        """Record that a provider is about to be called."""
        entry = Entry.of(serialize.operation_json(operation, self._cipher))
        await self._tell(Record(begins=entry, operation=self._number(operation)))

    async def end(self, operation: Operation | None, change: Change) -> None:
        """Record how a step ended.

        A step that changed nothing worth keeping is written with the next that did.
        """
        trifling = operation is None and _is_trifling(change)
        number = None if operation is None or id(operation) not in self._numbers else self._forget(operation)
        aliases = {alias: resource.urn for resource in change.appends for alias in resource.aliases}
        replaces = []
        for old, new in change.replaces:
            place = self._forget(old)
            self._numbers[id(new)], self._held[place] = place, new
            replaces.append((place, self._entry(new)))
        removes = tuple(self._forget(resource) for resource in change.removes)
        if change.removes == change.appends:  # word for word as before: so is what is stored
            entries = [self._ledger.entry(number) for number in removes]
        else:
            entries = [self._entry(resource) for resource in change.appends]
        numbers = [self._number(resource) for resource in change.appends]
        appends = tuple(zip(numbers, entries, strict=True))
        record = Record(
            ends=True, operation=number, removes=removes, replaces=tuple(replaces), appends=appends
        )
        if aliases:
            record = replace(record, replaces=(*record.replaces, *self._renamed(aliases, removes)))
        await self._tell(record, trifling=trifling)

    def _renamed(self, aliases: dict[str, str], removes: Iterable[int]) -> Iterable[tuple[int, Entry]]:
        """Entries that refer to a resource by a name that it no longer has, with its new one."""
        from infra.engine.state.edit import with_urns

        gone = set(removes)
        for number, entry in (*self._ledger.new.items(), *self._ledger.old.items()):
            if number not in gone and any(alias in entry.text for alias in aliases):
                yield number, Entry(with_urns(entry.text, aliases), entry.features)

    async def rewrite(self, snapshot: Snapshot) -> None:
        """Start anew from ``snapshot``."""
        if snapshot.secrets_provider is None:
            snapshot = replace(snapshot, secrets_provider=self._provider)
        async with self._writing:
            self._ledger = self._load(snapshot)
            self._records.clear()
            self._told += 1
            await self._write_whole(lagging=False)

    async def _tell(self, record: Record, *, trifling: bool = False) -> None:
        self._ledger.apply(record)
        self._records.append(record)
        if trifling:
            self._unwritten = True
            return
        self._told += 1
        told = self._told
        async with self._writing:
            if self._durable < told:  # not written along with another's
                await self._write()
        self._stirred.set()

    async def _write(self) -> None:
        """Make durable what was told, in the cheaper way."""
        if self._lagging and self._journalled < self._size:
            await self._append()
        else:
            await self._write_whole(lagging=self._size > SMALL)

    async def _append(self) -> None:
        told, lines = self._told, "".join(record.line() for record in self._records).encode()
        self._records.clear()
        await anyio.to_thread.run_sync(_append, self._backend.journal_path(self._stack), lines)
        self._journalled += len(lines)
        self._durable = told

    async def _write_whole(self, *, lagging: bool) -> None:
        told = self._told
        self._records.clear()
        self._unwritten = False
        self._ledger.head["manifest"] = serialize.manifest_json(timestamp(), self._version)
        if self._provider is not None:
            self._ledger.head["secrets_providers"] = serialize.provider_json(self._provider)
        text = self._ledger.checkpoint(self._stack.qualified, lagging=lagging)
        start = ""
        if lagging:
            self._renumber()
            start = section(self._backend.packed(text), len(self._ledger.new))
            if self._watcher is None:
                self._watcher = Watcher.start(self._backend.root, self._stack)
        await anyio.to_thread.run_sync(self._write_file, text, start)
        self._lagging, self._journalled, self._size = lagging, 0, len(text)
        self._durable = max(self._durable, told)

    def _write_file(self, text: str, start: str) -> None:
        journal = self._backend.journal_path(self._stack)
        if not self._backed_up:
            self._backend.back_up(self._stack)
            self._backed_up = True
        if start:
            _append(journal, start.encode())
        self._backend.write_text(self._stack, text)
        if not start:
            journal.unlink(missing_ok=True)

    def _renumber(self) -> None:
        """Number the entries by their place in the checkpoint that is about to be written."""
        ledger = self._ledger
        order = [*ledger.new, *ledger.old]
        places = {number: place for place, number in enumerate(order)}
        pending = {number: -1 - place for place, number in enumerate(ledger.pending)}
        held = {places.get(number, pending.get(number)): thing for number, thing in self._held.items()}
        self._held = {number: thing for number, thing in held.items() if number is not None}
        self._numbers = {id(thing): number for number, thing in self._held.items()}
        ledger.new = {places[number]: entry for number, entry in ledger.new.items()}
        ledger.old = {places[number]: entry for number, entry in ledger.old.items()}
        ledger.pending = {pending[number]: entry for number, entry in ledger.pending.items()}
        self._next = len(order)

    async def fold_when_idle(self) -> None:
        """Make a checkpoint whole again that lags, whenever there was nothing to write for a while.

        Runs for ever.
        """
        while True:
            await self._stirred.wait()
            self._stirred = anyio.Event()
            before = self._told
            await anyio.sleep(IDLE)
            async with self._writing:
                if self._lagging and self._told == before:
                    await self._write_whole(lagging=False)

    async def close(self) -> None:
        """Leave a checkpoint that is whole, whatever it takes."""
        async with self._writing:
            if self._lagging or self._unwritten or self._durable < self._told:
                await self._write_whole(lagging=False)
        if self._watcher is not None:
            self._watcher.stop()


def _append(path: os.PathLike[str], content: bytes) -> None:
    created = not os.path.exists(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if created:
        from pathlib import Path

        files.sync_folder(Path(path).parent)


def _is_trifling(change: Change) -> bool:
    """Whether resources are as before but for where in the program they are asked for."""
    pairs = change.replaces
    if not pairs and len(change.removes) == len(change.appends) == 1:
        pairs = ((change.removes[0], change.appends[0]),)
    elif change.removes or change.appends:
        return False
    return all(
        replace(old, source_position=new.source_position, stack_trace=new.stack_trace) == new
        for old, new in pairs
    )


def provider_of(state: str) -> SecretsProvider:
    """The passphrase provider whose state is ``state``."""
    return SecretsProvider("passphrase", {"salt": state})
