"""What every stage is given: the project's files, a base image, and how to reach package indexes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagger
from dagger import dag

from ci.settings import Settings
from ci.stages.delivery import Delivery
from ci.stages.downloads import Downloads

#: Files by patterns: those that match one of the first, but none of the second.
Select = Callable[[Sequence[str], Sequence[str]], dagger.Directory]


class NoTarget(Exception):
    """A stage was to deliver something, and nobody said where to."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Project:
    """The inputs of the pipeline.

    A stage takes only the files it works on, so that a change elsewhere leaves its result in the cache.
    """

    select: Select
    base: dagger.Container
    downloads: Downloads
    settings: Settings
    target: Delivery | None = None

    def delivery(self) -> Delivery:
        """Where to deliver to. Raises NoTarget where nobody said so."""
        if self.target is None:
            raise NoTarget("there is nothing to deliver to")
        return self.target

    def files(self, include: Sequence[str], exclude: Sequence[str] = ()) -> dagger.Directory:
        """The project's files that match one of ``include`` and none of ``exclude``."""
        return self.select(include, exclude)

    def file(self, path: str) -> dagger.File:
        """One of the project's files."""
        return self.select([path], []).file(path)


def on_host(root: Path) -> Select:
    """Select files from a folder of the machine that Dagger's client runs on."""

    def select(include: Sequence[str], exclude: Sequence[str]) -> dagger.Directory:
        return dag.host().directory(str(root), include=list(include), exclude=list(exclude))

    return select


def within(source: dagger.Directory) -> Select:
    """Select files from a directory that Dagger already has."""

    def select(include: Sequence[str], exclude: Sequence[str]) -> dagger.Directory:
        return source.filter(include=list(include), exclude=list(exclude))

    return select
