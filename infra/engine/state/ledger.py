"""The list of a stack's resources while an update is under way, and the journal lines that change it.

A checkpoint is a base; each step's begin and end is a record. The same records are applied to the list in
memory, appended to the journal beside a large checkpoint, and folded into that again by whoever comes after
a kill: none of that needs the stack's secrets, for all of it is as stored, encrypted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.engine.state import gojson, serialize
from infra.engine.state.errors import CorruptError


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource (or a pending operation) as stored: its JSON, and the features that it needs."""

    text: str
    features: frozenset[str] = frozenset()

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Entry:
        """The entry for a resource or an operation given as JSON."""
        return cls(gojson.dumps(value), frozenset(serialize.features_of(value.get("resource", value))))


@dataclass(frozen=True, slots=True)
class Record:
    """One change: an operation begun, or one ended (or None) with what it made of the list.

    Entries are known by number: those of the checkpoint by their place in it, those appended count on from
    there.
    """

    begins: Entry | None = None
    ends: bool = False
    operation: int | None = None
    removes: tuple[int, ...] = ()
    replaces: tuple[tuple[int, Entry], ...] = ()
    appends: tuple[tuple[int, Entry], ...] = ()

    def line(self) -> str:
        """The record as a line of the journal."""
        if self.begins is not None:
            return f'{{"begin":{self.operation},"value":{self.begins.text}}}\n'
        replaces = ",".join(f"[{number},{entry.text}]" for number, entry in self.replaces)
        appends = ",".join(f"[{number},{entry.text}]" for number, entry in self.appends)
        operation = "null" if self.operation is None else str(self.operation)
        removes = ",".join(str(number) for number in self.removes)
        return f'{{"end":{operation},"removes":[{removes}],"replaces":[{replaces}],"appends":[{appends}]}}\n'

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Record:
        """The record that a line of the journal holds."""
        if "begin" in line:
            return cls(begins=Entry.of(line["value"]), operation=line["begin"])
        return cls(
            ends=True,
            operation=line["end"],
            removes=tuple(line["removes"]),
            replaces=tuple((number, Entry.of(value)) for number, value in line["replaces"]),
            appends=tuple((number, Entry.of(value)) for number, value in line["appends"]),
        )


@dataclass(slots=True)
class Ledger:
    """What this update made (``new``), what it has not come to (``old``), and what is under way."""

    head: dict[str, Any]
    new: dict[int, Entry] = field(default_factory=dict)
    old: dict[int, Entry] = field(default_factory=dict)
    pending: dict[int, Entry] = field(default_factory=dict)
    tail: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, deployment: Mapping[str, Any], appended: int = 0) -> Ledger:
        """The ledger of a deployment whose first ``appended`` resources an update under way has made."""
        entries = [Entry.of(resource) for resource in deployment.get("resources") or ()]
        pending = [Entry.of(operation) for operation in deployment.get("pending_operations") or ()]
        numbered = dict(enumerate(entries))
        return cls(
            head={name: deployment[name] for name in ("manifest", "secrets_providers") if name in deployment},
            new={number: entry for number, entry in numbered.items() if number < appended},
            old={number: entry for number, entry in numbered.items() if number >= appended},
            pending={-1 - number: entry for number, entry in enumerate(pending)},
            tail={
                name: deployment[name]
                for name in ("metadata", "snippets", "extensions")
                if name in deployment
            },
        )

    def entry(self, number: int) -> Entry:
        """The entry of a resource, by its number."""
        return self.new[number] if number in self.new else self.old[number]

    def apply(self, record: Record) -> None:
        """Change the list as ``record`` says."""
        if record.begins is not None and record.operation is not None:
            self.pending[record.operation] = record.begins
        elif record.operation is not None:
            self.pending.pop(record.operation, None)
        for number, entry in record.replaces:
            (self.new if number in self.new else self.old)[number] = entry
        for number in record.removes:
            self.new.pop(number, None)
            self.old.pop(number, None)
        self.new.update(record.appends)

    @property
    def features(self) -> set[str]:
        """What the resources and operations need of who reads them."""
        parts: Iterable[Entry] = (*self.new.values(), *self.old.values(), *self.pending.values())
        return {feature for entry in parts for feature in entry.features}

    def deployment(self) -> str:
        """The deployment as compact JSON."""
        fields = [f'"{name}":{gojson.dumps(value)}' for name, value in self.head.items()]
        for name, entries in (
            ("resources", (*self.new.values(), *self.old.values())),
            ("pending_operations", tuple(self.pending.values())),
        ):
            if entries:
                fields.append(f'"{name}":[{",".join(entry.text for entry in entries)}]')
        fields += [
            f'"{name}":{gojson.dumps(value)}' for name, value in ({"metadata": {}} | self.tail).items()
        ]
        return "{" + ",".join(fields) + "}"

    def checkpoint(self, stack: str, *, lagging: bool = False) -> str:
        """The whole checkpoint file.

        A ``lagging`` one is marked: it is only true together with its journal.
        """
        features = sorted(self.features | ({serialize.JOURNAL_FEATURE} if lagging else set()))
        marked = f'"version":4,"features":{gojson.dumps(features)}' if features else '"version":3'
        return f'{{{marked},"checkpoint":{{"stack":{gojson.dumps(stack)},"latest":{self.deployment()}}}}}'


def section(content: bytes, appended: int) -> str:
    """The journal line that starts the records after the checkpoint file with ``content``."""
    return gojson.dumps({"checkpoint": hashlib.sha256(content).hexdigest(), "appended": appended}) + "\n"


def folded(content: bytes, deployment: Mapping[str, Any], journal: Path) -> dict[str, Any]:
    """The deployment as the journal says it became after the checkpoint file with ``content``.

    A last line that was cut short was never acknowledged to anybody, and is left out.

    Raises:
        CorruptError: the journal is missing, or is that of another checkpoint.
    """
    try:
        lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError as error:
        raise CorruptError(
            f"the checkpoint was left behind by an update that was cut short, and its journal {journal}"
            " is missing:"
            " restore that file, or take the checkpoint's .bak, then run `pulumi refresh`"
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    ledger: Ledger | None = None
    for line in lines:
        try:
            value = json.loads(line) if line.endswith("\n") else None
        except ValueError:
            value = None
        if value is None:
            break
        if "checkpoint" in value:
            ledger = Ledger.of(deployment, value["appended"]) if value["checkpoint"] == digest else None
        elif ledger is not None:
            ledger.apply(Record.parse(value))
    if ledger is None:
        raise CorruptError(
            f"the journal {journal} is not that of the checkpoint beside it: take the checkpoint's .bak,"
            " then run"
            " `pulumi refresh`"
        )
    result: dict[str, Any] = json.loads(ledger.deployment())
    return result
