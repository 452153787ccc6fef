"""The packages that a suite has: its Packages index, read no further than needed."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ci.engine.images.debian.control import stanza
from ci.engine.images.debian.version import key, satisfies

_RELATION = re.compile(r"([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\(\s*(<<|<=|=|>=|>>)\s*([^\s)]+)\s*\))?")
_PRIORITIES = ("required", "important", "standard", "optional", "extra")


@dataclass(frozen=True, slots=True)
class Relation:
    """A package name, and the versions of it that will do."""

    name: str
    compare: str | None = None
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.compare} {self.version})" if self.compare else self.name


def relations(value: str) -> Iterator[tuple[Relation, ...]]:
    """The alternatives of each item of a Depends-like field."""
    for item in value.split(","):
        matches = (_RELATION.match(text.strip()) for text in item.split("|"))
        if found := tuple(Relation(match[1], match[2], match[3] or "") for match in matches if match):
            yield found


class Package:
    """One version of a binary package; `source` is the URI its `filename` is relative to."""

    def __init__(self, text: str, source: str) -> None:
        self.fields = stanza(text)
        self.source = source
        self.name = self.fields["Package"]
        self.version = self.fields["Version"]
        self.filename = self.fields["Filename"]
        self.size = int(self.fields["Size"])
        self.sha256 = self.fields["SHA256"]

    def __repr__(self) -> str:
        return f"<{self.name} {self.version}>"

    @cached_property
    def depends(self) -> tuple[tuple[Relation, ...], ...]:
        """What must be there for it to work, each as alternatives."""
        fields = ("Pre-Depends", "Depends")
        return tuple(group for field in fields for group in relations(self.fields.get(field, "")))

    @cached_property
    def conflicts(self) -> tuple[Relation, ...]:
        """What must not be there beside it."""
        fields = ("Conflicts", "Breaks")
        return tuple(group[0] for field in fields for group in relations(self.fields.get(field, "")))

    @cached_property
    def provides(self) -> tuple[Relation, ...]:
        """The names that it also answers to."""
        return tuple(group[0] for group in relations(self.fields.get("Provides", "")))

    @property
    def basic(self) -> bool:
        """Whether every Debian system has it."""
        return self.fields.get("Essential") == "yes" or self.fields.get("Priority") == "required"

    @property
    def rank(self) -> tuple[int, str]:
        """Sorts providers of one virtual package: the more important first, then by name."""
        priority = self.fields.get("Priority", "optional")
        return (_PRIORITIES.index(priority) if priority in _PRIORITIES else len(_PRIORITIES), self.name)

    def answers(self, relation: Relation) -> bool:
        """Whether this package satisfies `relation`, by its own name or one it provides."""
        if relation.name == self.name:
            return relation.compare is None or satisfies(self.version, relation.compare, relation.version)
        return any(
            offer.name == relation.name
            and (
                relation.compare is None
                or (offer.version and satisfies(offer.version, relation.compare, relation.version))
            )
            for offer in self.provides
        )


class Index:
    """The packages of one or several suites together: the newest version of each name."""

    def __init__(self) -> None:
        self._texts: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._providers: dict[str, set[str]] = defaultdict(set)
        self._basic: set[str] = set()
        self._packages: dict[str, Package] = {}

    def add(self, text: str, source: str) -> None:
        """Add the Packages file `text`, whose file names are relative to the URI `source`."""
        for block in text.split("\n\n"):
            if not block.startswith("Package: "):
                continue
            name = block[9 : block.index("\n")]
            self._texts[name].append((block, source))
            if (at := block.find("\nProvides: ")) >= 0:
                for offers in relations(block[at + 11 : block.find("\n", at + 11)]):
                    self._providers[offers[0].name].add(name)
            if "\nEssential: yes" in block or "\nPriority: required" in block:
                self._basic.add(name)

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def __getitem__(self, name: str) -> Package:
        """The newest version of `name`. Raises KeyError."""
        if name not in self._packages:
            if name not in self._texts:
                raise KeyError(name)
            versions = [Package(text, source) for text, source in self._texts[name]]
            self._packages[name] = max(versions, key=lambda package: key(package.version))
        return self._packages[name]

    def basic(self) -> list[Package]:
        """The packages that every Debian system has, by name."""
        return [package for package in (self[name] for name in sorted(self._basic)) if package.basic]

    def providers(self, name: str) -> list[Package]:
        """The packages that provide the virtual package `name`, the likeliest first."""
        return sorted(
            (self[each] for each in self._providers.get(name, ())), key=lambda package: package.rank
        )
