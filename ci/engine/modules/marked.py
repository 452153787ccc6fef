"""Functions of a module that are marked: checks, generators and services, reached from its main object."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ci.engine.api.registry import Call, settled
from ci.engine.graph.fingerprint import Digested
from ci.engine.modules.module import Module
from ci.engine.modules.running import calling
from ci.engine.modules.types.names import kebab
from ci.engine.modules.types.typedefs import Function, Object
from ci.engine.store.patterns import Selection


@dataclass(frozen=True)
class Marked(Digested):
    """A marked function, and the names of the functions and fields that lead to it, itself the last."""

    module: Module
    path: tuple[str, ...]
    description: str

    @property
    def name(self) -> str:
        """The path as people write it: ``tests:unit``."""
        return ":".join(kebab(each) for each in self.path)

    async def value(self, call: Call) -> tuple[Any, str]:
        """What the function gives when it is called, and the name of its type."""
        current: Any = await calling.answers(self.module, None, "")(call, None)
        type_ = self.module.main
        returned = ""
        for name in self.path:
            assert type_ is not None  # noqa: S101  # the path was found by walking it
            resolve = calling.answers(self.module, type_, name)
            current = await settled(resolve(call, current))
            leads = _returned(type_, name)
            returned = leads.name if leads else ""
            type_ = self.module.object(returned)
        return current, returned


def marked(
    module: Module, is_wanted: Callable[[Function], bool], include: Sequence[str] = ()
) -> list[Marked]:
    """The marked functions that can be called without arguments; ``include`` are patterns of their names."""
    found = {each.path: each for each in _walk(module, module.main, (), is_wanted, frozenset())}
    return [each for each in found.values() if not include or any(_matches(each, p) for p in include)]


def _walk(
    module: Module,
    type_: Object | None,
    path: tuple[str, ...],
    is_wanted: Callable[[Function], bool],
    above: frozenset[str],
) -> Iterator[Marked]:
    if type_ is None or type_.name in above:
        return
    for function in type_.functions:
        if any(argument.needed for argument in function.arguments):
            continue
        here = (*path, function.name)
        if is_wanted(function):
            yield Marked(module, here, function.description)
        elif isinstance(function.returns.named, Object):
            below = module.object(function.returns.named.name)
            yield from _walk(module, below, here, is_wanted, above | {type_.name})
    for field in type_.fields:
        if isinstance(field.type.named, Object):
            below = module.object(field.type.named.name)
            yield from _walk(module, below, (*path, field.name), is_wanted, above | {type_.name})


def _matches(each: Marked, pattern: str) -> bool:
    """Whether a pattern (``tests:*``) is of a function, or of what leads to it."""
    wanted = "/".join(kebab(part) if "*" not in part else part for part in pattern.split(":"))
    place = each.name.replace(":", "/")
    if place == wanted or place.startswith(f"{wanted}/"):
        return True
    taken, _ = Selection.parse([wanted]).step(place, ((), ()))
    return "*" in wanted and taken and posixpath.dirname(place).count("/") >= wanted.count("/") - 1


def _returned(type_: Object, name: str) -> Object | None:
    function = type_.named_functions().get(name)
    returns = function.returns if function else next(f.type for f in type_.fields if f.name == name)
    return returns.named if isinstance(returns.named, Object) else None
