"""The fields of ``Query`` that are those of the main object of the module that is the entrypoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ci.engine.api.registry import settled
from ci.engine.graph.fingerprint import Digested
from ci.engine.modules.types.entrypoint import WITH, promoted

if TYPE_CHECKING:
    from ci.engine.api.schema import FieldSpec, Resolve
    from ci.engine.modules.module import Module
    from ci.engine.modules.schema.extended import Answers
    from ci.engine.modules.types.typedefs import Function

    #: Makes a field of a type's name, a function and what answers it.
    MakeField = Callable[[str, Function, Resolve], FieldSpec]


@dataclass(frozen=True)
class Configured(Digested):
    """``Query`` with arguments for the entrypoint's constructor."""

    arguments: tuple[tuple[str, Any], ...]


def direct(module: Module, answers: Answers, field: MakeField, absent: object) -> Iterator[FieldSpec]:
    """The fields; arguments that are ``absent`` were not given."""
    main = module.main
    assert main is not None  # noqa: S101  # a module without one is not loaded
    make = answers(module, None, "")

    def configure(_call: Any, _parent: Any, **given: Any) -> Configured:
        return Configured(tuple((name, value) for name, value in given.items() if value is not absent))

    def of(name: str) -> Resolve:
        answer = answers(module, main, name)

        async def resolve(call: Any, parent: Any, **given: Any) -> Any:
            arguments = dict(parent.arguments) if isinstance(parent, Configured) else {}
            return await settled(answer(call, await settled(make(call, None, **arguments)), **given))

        return resolve

    for function in promoted(module):
        configuring = function.name == WITH and function.original == WITH and function not in main.functions
        yield field("Query", function, configure if configuring else of(function.name))
