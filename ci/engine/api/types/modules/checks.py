"""``Check``, ``Generator`` and ``Up``: a module's marked functions, listed and run without naming them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from ci.engine.api.registry import Call, serves, serves_attributes, settled
from ci.engine.api.types import changeset, service
from ci.engine.api.types.changeset import Changeset
from ci.engine.api.types.common import works
from ci.engine.api.types.error import Error
from ci.engine.errors import EngineError
from ci.engine.graph.files import SCRATCH, File, derive
from ci.engine.graph.fingerprint import Digested
from ci.engine.images.together import together
from ci.engine.modules.marked import Marked, marked
from ci.engine.modules.module import Module


@dataclass(frozen=True)
class _Listed(Digested):
    """What is known of a marked function before it is run."""

    marked: Marked

    @property
    def name(self) -> str:
        """The path to the function, as people write it."""
        return self.marked.name

    @property
    def description(self) -> str:
        """What the function says it does."""
        return self.marked.description

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to the function."""
        return self.marked.path

    @property
    def original_module(self) -> Module:
        """The module that the function is of."""
        return self.marked.module


L = TypeVar("L", bound=_Listed)


@dataclass(frozen=True)
class Check(_Listed):
    """A check, and how it ended; a generator is one too, which passes when nothing is left to generate."""

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
class Generator(_Listed):
    """A generator, and what it changes once it has run."""

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
class Up(_Listed):
    """A service that a module offers."""


@dataclass(frozen=True)
class UpGroup(Digested):
    """Several services."""

    list: tuple[Up, ...]


serves_attributes("Check", "completed", "passed", "error", "check_type", "result_emoji")
serves_attributes("Generator", "completed")
for _type in ("CheckGroup", "GeneratorGroup", "UpGroup"):
    serves_attributes(_type, "list")
for _type in ("Check", "Generator", "Up"):
    serves_attributes(_type, "name", "description", "path", "original_module")


@serves("Module")
def checks(
    _call: Call, parent: Module, *, include: list[str] | None = None, no_generate: bool | None = None
) -> CheckGroup:
    """The module's checks."""
    found = [Check(each) for each in marked(parent, lambda f: f.check, include or ())]
    if not no_generate:
        known = {each.path for each in found}
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


def _only(found: tuple[L, ...], what: str, name: str) -> L:
    for each in found:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in found)
    raise EngineError(f'no {what} named "{name}"; there are: {known or "none"}')


@serves("Check", field="run")
async def run_check(call: Call, parent: Check) -> Check:
    """The check, run to its end."""
    try:
        value, type_ = await parent.marked.value(call)
        if parent.check_type == "generate":
            await _unchanged(call, parent, value)
        elif sync := call.session.registry.resolver(type_, "sync"):
            await settled(sync(call, value))
    except EngineError as error:
        return replace(parent, completed=True, error=Error(error.message))
    return replace(parent, completed=True, error=None)


async def _unchanged(call: Call, parent: Check, value: Changeset) -> None:
    if not await changeset.is_empty(call, value):
        name = parent.name
        raise EngineError(f"generate function {name} produced changes; run 'dagger generate {name}' to apply")


@serves("CheckGroup", field="run")
async def run_checks(call: Call, parent: CheckGroup, *, fail_fast: bool | None = None) -> CheckGroup:
    """The checks, run side by side; ``failFast`` ends the others when one fails."""

    async def run(each: Check) -> Check:
        ended = await run_check(call, each)
        if fail_fast and ended.error is not None:
            raise EngineError(ended.error.message)
        return ended

    return CheckGroup(tuple(await together(run, parent.list)))


@serves("CheckGroup")
async def report(call: Call, parent: CheckGroup) -> File:
    """The checks as a table in Markdown."""
    head = "| check | type | description | success |\n| -- | -- | -- | -- |\n"
    rows = (
        f"| {each.name} | {each.check_type} | {each.description} | {each.result_emoji} |\n"
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
        raise EngineError(f"generate function {parent.name} must return a Changeset, not {type_}")
    return replace(parent, outcome=value)


@serves("GeneratorGroup", field="run")
async def run_generators(call: Call, parent: GeneratorGroup) -> GeneratorGroup:
    """The generators, run side by side."""
    return GeneratorGroup(tuple(await together(partial(run_generator, call), parent.list)))


def _outcome(parent: Generator) -> Changeset:
    if parent.outcome is None:
        raise EngineError(f"generator {parent.name} has not run: ask for `run` first")
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
        raise EngineError(f"service function {parent.name} must return a Service, not {type_}")
    await service.up(call, value)
    return parent


@serves("UpGroup", field="run")
async def run_ups(call: Call, parent: UpGroup) -> UpGroup:
    """The services, open to the host until the session ends."""
    return UpGroup(tuple(await together(partial(run_up, call), parent.list)))
