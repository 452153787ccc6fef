"""``Check``, ``Generator`` and ``Up``: a module's marked functions, listed and run without naming them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import anyio

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.api.types import changeset, service
from ci.engine.api.types.changeset import Changeset
from ci.engine.api.types.common import works
from ci.engine.api.types.error import Error
from ci.engine.errors import EngineError
from ci.engine.graph.files import SCRATCH, File, derive
from ci.engine.graph.fingerprint import Digested
from ci.engine.modules.marked import Marked, marked
from ci.engine.modules.module import Module

T = TypeVar("T")


@dataclass(frozen=True)
class Check(Digested):
    """A check, and how it ended; a generator is one too, which passes when nothing is left to generate."""

    marked: Marked
    check_type: str = "check"
    completed: bool = False
    error: Error | None = None

    @property
    def passed(self) -> bool:
        """Whether it was run, and nothing was wrong."""
        return self.completed and self.error is None

    @property
    def result_emoji(self) -> str:
        """How it ended, at a glance."""
        return ("🟢" if self.passed else "🔴") if self.completed else ""


@dataclass(frozen=True)
class CheckGroup(Digested):
    """Several checks."""

    list: tuple[Check, ...]


@dataclass(frozen=True)
class Generator(Digested):
    """A generator, and what it changes once it has run."""

    marked: Marked
    outcome: Changeset | None = None

    @property
    def completed(self) -> bool:
        """Whether it has run."""
        return self.outcome is not None


@dataclass(frozen=True)
class GeneratorGroup(Digested):
    """Several generators."""

    list: tuple[Generator, ...]


@dataclass(frozen=True)
class Up(Digested):
    """A service that a module offers."""

    marked: Marked


@dataclass(frozen=True)
class UpGroup(Digested):
    """Several services."""

    list: tuple[Up, ...]


serves_attributes("Check", "completed", "passed", "error", "check_type", "result_emoji")
serves_attributes("Generator", "completed")
for _type in ("CheckGroup", "GeneratorGroup", "UpGroup"):
    serves_attributes(_type, "list")
for _type in ("Check", "Generator", "Up"):

    @serves(_type, field="name")
    def marked_name(_call: Call, parent: Any) -> str:
        """The path to the function, as people write it."""
        name: str = parent.marked.name
        return name

    @serves(_type, field="description")
    def marked_description(_call: Call, parent: Any) -> str:
        """What the function says it does."""
        description: str = parent.marked.description
        return description

    @serves(_type, field="path")
    def marked_path(_call: Call, parent: Any) -> list[str]:
        """The names that lead to the function."""
        return list(parent.marked.path)

    @serves(_type, field="original_module")
    def marked_module(_call: Call, parent: Any) -> Module:
        """The module that the function is of."""
        module: Module = parent.marked.module
        return module


@serves("Module")
def checks(
    _call: Call, parent: Module, *, include: list[str] | None = None, no_generate: bool | None = None
) -> CheckGroup:
    """The module's checks."""
    found = [Check(each) for each in marked(parent, lambda f: f.check, include or ())]
    if not no_generate:
        known = {each.marked.path for each in found}
        more = marked(parent, lambda f: f.generator, include or ())
        found += [Check(each, "generate") for each in more if each.path not in known]
    return CheckGroup(tuple(found))


@serves("Module")
def check(call: Call, parent: Module, *, name: str) -> Check:
    """One check."""
    return _only(checks(call, parent).list, "check", name)


@serves("Module")
def generators(_call: Call, parent: Module, *, include: list[str] | None = None) -> GeneratorGroup:
    """The module's generators."""
    return GeneratorGroup(tuple(Generator(e) for e in marked(parent, lambda f: f.generator, include or ())))


@serves("Module")
def generator(call: Call, parent: Module, *, name: str) -> Generator:
    """One generator."""
    return _only(generators(call, parent).list, "generator", name)


@serves("Module")
def services(_call: Call, parent: Module, *, include: list[str] | None = None) -> UpGroup:
    """The module's services."""
    return UpGroup(tuple(Up(each) for each in marked(parent, lambda f: f.up, include or ())))


def _only(found: tuple[T, ...], what: str, name: str) -> T:
    for each in found:
        if each.marked.name == name:  # type: ignore[attr-defined]
            return each
    known = ", ".join(each.marked.name for each in found)  # type: ignore[attr-defined]
    raise EngineError(f'no {what} named "{name}"; there are: {known or "none"}')


@serves("Check", field="run")
async def run_check(call: Call, parent: Check) -> Check:
    """The check, run to its end."""
    try:
        value, type_ = await parent.marked.value(call)
        if parent.check_type == "generate":
            await _unchanged(call, parent, value)
        elif sync := call.session.registry.resolver(type_, "sync"):
            done = sync(call, value)
            if inspect.isawaitable(done):
                await done
    except EngineError as error:
        return replace(parent, completed=True, error=Error(error.message))
    return replace(parent, completed=True, error=None)


async def _unchanged(call: Call, parent: Check, value: Changeset) -> None:
    if not await changeset.is_empty(call, value):
        name = parent.marked.name
        raise EngineError(f"generate function {name} produced changes; run 'dagger generate {name}' to apply")


async def _all(items: tuple[T, ...], run: Callable[[T], Awaitable[T]]) -> tuple[T, ...]:
    """Run side by side; the outcomes are in the order of the items."""
    done: dict[int, T] = {}

    async def one(number: int, item: T) -> None:
        done[number] = await run(item)

    async with anyio.create_task_group() as tasks:
        for number, item in enumerate(items):
            tasks.start_soon(one, number, item)
    return tuple(done[number] for number in range(len(items)))


@serves("CheckGroup", field="run")
async def run_checks(call: Call, parent: CheckGroup, *, fail_fast: bool | None = None) -> CheckGroup:
    """The checks, run side by side; ``failFast`` ends the others when one fails."""

    async def run(each: Check) -> Check:
        ended = await run_check(call, each)
        if fail_fast and ended.error is not None:
            raise EngineError(ended.error.message)
        return ended

    return CheckGroup(await _all(parent.list, run))


@serves("CheckGroup")
async def report(call: Call, parent: CheckGroup) -> File:
    """The checks as a table in Markdown."""
    head = "| check | type | description | success |\n| -- | -- | -- | -- |\n"
    rows = (
        f"| {each.marked.name} | {each.check_type} | {each.marked.description} | {each.result_emoji} |\n"
        for each in parent.list
    )
    content, _ = works(call).store.keep((head + "".join(rows)).encode())
    files = derive("new_file", SCRATCH, path="/checks.md", content=content, mode=0o644, owner=None)
    return File(files, "/checks.md")


@serves("Generator", field="run")
async def run_generator(call: Call, parent: Generator) -> Generator:
    """The generator, run to its end."""
    value, type_ = await parent.marked.value(call)
    if type_ != "Changeset":
        raise EngineError(f"generate function {parent.marked.name} must return a Changeset, not {type_}")
    return replace(parent, outcome=value)


@serves("GeneratorGroup", field="run")
async def run_generators(call: Call, parent: GeneratorGroup) -> GeneratorGroup:
    """The generators, run side by side."""
    return GeneratorGroup(await _all(parent.list, lambda each: run_generator(call, each)))


def _outcome(parent: Generator) -> Changeset:
    if parent.outcome is None:
        raise EngineError(f"generator {parent.marked.name} has not run: ask for `run` first")
    return parent.outcome


@serves("Generator", field="changes")
def generator_changes(_call: Call, parent: Generator) -> Changeset:
    """What the generator changes."""
    return _outcome(parent)


@serves("Generator", field="is_empty")
async def generator_is_empty(call: Call, parent: Generator) -> bool:
    """Whether the generator changes nothing."""
    return await changeset.is_empty(call, _outcome(parent))


@serves("GeneratorGroup", field="changes")
def group_changes(call: Call, parent: GeneratorGroup, *, on_conflict: str = "FAIL_EARLY") -> Changeset:
    """What all of the generators change."""
    merged = changeset.empty(call, None)
    others = [_outcome(each) for each in parent.list]
    rule = "FAIL" if on_conflict == "FAIL_EARLY" else on_conflict
    return changeset.with_changesets(call, merged, changes=others, on_conflict=rule)


@serves("GeneratorGroup", field="is_empty")
async def group_is_empty(call: Call, parent: GeneratorGroup) -> bool:
    """Whether none of the generators changes anything."""
    found = [await changeset.is_empty(call, _outcome(each)) for each in parent.list]
    return all(found)


@serves("Up", field="run")
async def run_up(call: Call, parent: Up) -> Up:
    """The service, open to the host until the session ends."""
    value, type_ = await parent.marked.value(call)
    if type_ != "Service":
        raise EngineError(f"service function {parent.marked.name} must return a Service, not {type_}")
    await service.up(call, value)
    return parent


@serves("UpGroup", field="run")
async def run_ups(call: Call, parent: UpGroup) -> UpGroup:
    """The services, open to the host until the session ends."""
    return UpGroup(await _all(parent.list, lambda each: run_up(call, each)))
