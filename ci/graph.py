"""A graph of stages: what each needs, in which order they can run, and which of them a person asked for.

Knows nothing of Dagger or of how a stage is run.
"""

import difflib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any


class UnknownStage(Exception):
    """A stage was named that isn't there; the text suggests the nearest."""


class BadGraph(Exception):
    """The graph itself is wrong: a need that isn't there, a name used twice, or a cycle."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the pipeline.

    ``function`` is ``package.module:name``, imported only when the stage is run: what it imports is slow.
    A stage with ``default=False`` runs only when it is named; one that ``delivers`` changes something outside
    of the pipeline.
    """

    name: str
    summary: str
    function: str
    needs: tuple[str, ...] = ()
    default: bool = True
    delivers: bool = False

    def load(self) -> Callable[..., Awaitable[Any]]:
        """Import the stage's function."""
        function: Callable[..., Awaitable[Any]] = pkgutil.resolve_name(self.function)
        return function


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages that will run, in an order that respects their needs, and why the others won't."""

    run: tuple[Stage, ...]
    left_out: dict[str, str]

    @property
    def delivers(self) -> bool:
        """Whether any stage changes something outside of the pipeline."""
        return any(stage.delivers for stage in self.run)

    def needs(self, stage: Stage) -> tuple[str, ...]:
        """The needs of ``stage`` that are part of this plan, and so are waited for."""
        planned = {other.name for other in self.run}
        return tuple(need for need in stage.needs if need in planned)


class Graph:
    """Stages by name, in an order that respects their needs."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        """Check the stages and put them in order.

        Raises:
            BadGraph: two stages share a name, or a need is unknown or circular.
        """
        listed = list(stages)
        by_name = {stage.name: stage for stage in listed}
        if len(by_name) != len(listed):
            raise BadGraph("Two stages have the same name.")
        for stage in listed:
            for need in stage.needs:
                if need not in by_name:
                    raise BadGraph(f"Stage {stage.name} needs {need}, which is not a stage.")
        try:
            order = list(TopologicalSorter({stage.name: stage.needs for stage in listed}).static_order())
        except CycleError as error:
            raise BadGraph(f"Stages need each other in a circle: {' -> '.join(error.args[1])}.") from None
        depth: dict[str, int] = {}
        for name in order:
            depth[name] = 1 + max((depth[need] for need in by_name[name].needs), default=0)
        # Stable, so as written, as far as needs allow; what runs only when named comes last.
        listed.sort(key=lambda stage: (not stage.default, depth[stage.name]))
        self._stages = {stage.name: stage for stage in listed}

    def __iter__(self) -> Iterator[Stage]:
        """The stages, each after those that it needs."""
        return iter(self._stages.values())

    def __getitem__(self, name: str) -> Stage:
        """The stage of that name.

        Raises:
            UnknownStage: there is none.
        """
        try:
            return self._stages[name]
        except KeyError:
            pass
        near = difflib.get_close_matches(name, self._stages, n=2, cutoff=0.6)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownStage(f"There is no stage {name!r}.{hint} The stages are: {', '.join(self._stages)}.")

    def plan(self, names: Iterable[str] = (), *, only: Iterable[str] = (), skip: Iterable[str] = ()) -> Plan:
        """Choose what runs.

        ``names`` are run with all that they need, ``only`` without; with neither, every default stage is.
        ``skip`` is left out of either.

        Raises:
            UnknownStage: one of the names isn't a stage's.
        """
        wanted = {stage.name for stage in self if stage.default}
        if exact := {self[name].name for name in only}:
            wanted = exact
        elif asked := [self[name] for name in names]:
            wanted = {needed.name for stage in asked for needed in self._with_needs(stage)}
        skipped = {self[name].name for name in skip}
        left_out = {stage.name: "not asked for" for stage in self if stage.name not in wanted}
        left_out |= dict.fromkeys(sorted(skipped & wanted), "skipped, as asked")
        return Plan(tuple(stage for stage in self if stage.name in wanted - skipped), left_out)

    def _with_needs(self, stage: Stage) -> Iterator[Stage]:
        yield stage
        for need in stage.needs:
            yield from self._with_needs(self[need])
