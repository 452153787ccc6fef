"""Python bindings to what a module depends on: ``dagger_gen``, which the SDK prefers to its own client.

It has all that the SDK's generated client has and, in its manner, a class for each type of the dependencies.
"""

from __future__ import annotations

import json
import keyword

from ci.engine.api.schema import snake
from ci.engine.modules.module import Module
from ci.engine.modules.types.kinds import (
    BOOLEAN,
    ENUM,
    FLOAT,
    INTEGER,
    INTERFACE,
    OBJECT,
    SCALAR,
    STRING,
    VOID,
)
from ci.engine.modules.types.typedefs import (
    Argument,
    Enum,
    Function,
    Interface,
    Object,
    Scalar,
    TypeDef,
)

#: The SDK's client, checked more lazily, as a module that the others build on.
CORE = "dagger_core"

_HEAD = f'''\
"""Client bindings to Dagger's API and to the modules that this one depends on. Generated: do not edit."""

from collections.abc import Callable

import {CORE} as _core
from {CORE} import *
from {CORE} import typecheck
from dagger.client._core import Arg
from dagger.client.base import Enum, Scalar, Type
'''

_EAGER = "from dagger.client._guards import typecheck\n"
_LAZY = """\
import functools
import types

from dagger.client._guards import typecheck as _typecheck


def typecheck(target):
    \"\"\"Check calls of a function, or of a class's methods: got ready for that at the first call.\"\"\"
    if not isinstance(target, type):
        return _lazily(lambda: _typecheck(target), target)
    methods = {name: m for name, m in vars(target).items() if isinstance(m, types.FunctionType)}

    @functools.cache
    def ready():
        for name, method in methods.items():
            setattr(target, name, method)
        _typecheck(target)

    def checked(name):
        ready()
        return getattr(target, name)

    for name, method in methods.items():
        setattr(target, name, _lazily(functools.partial(checked, name), method))
    return target


def _lazily(checked, function):
    found = functools.cache(checked)

    @functools.wraps(function)
    def lazily(*args, **kwargs):
        return found()(*args, **kwargs)

    return lazily


"""


def core(client: str) -> str:
    """The SDK's generated client, of which half the time to import is to get ready for checking calls."""
    return client.replace(_EAGER, _LAZY, 1)


#: Names of Python's own that annotations in the same class need, beside its keywords.
_RESERVED = frozenset(("bool", "float", "int", "list", "str"))
_PLAIN = {STRING: "str", INTEGER: "int", FLOAT: "float", BOOLEAN: "bool"}


def text(dependencies: tuple[Module, ...]) -> str:
    """The source of ``dagger_gen.py``."""
    if not dependencies:
        return f"from {CORE} import *\nfrom {CORE} import __all__\n"
    names = ["Client", "dag"]
    blocks = [_HEAD]
    for module in dependencies:
        for definition in (*module.enums, *module.interfaces, *module.objects):
            match definition.named:
                case Enum() as enum:
                    blocks.append(_enum(enum))
                    names.append(enum.name)
                case Object() | Interface() as composite:
                    blocks.append(_class(composite))
                    names.append(composite.name)
    entries = [each.entry for each in dependencies if each.entry is not None]
    methods = "\n".join(_method(each) for each in entries)
    blocks.extend(
        (
            f"class Client(_core.Client):\n{_docstring('The root of all types.', 1)}\n{methods}",
            "dag = Client()\n",
            f"__all__ = sorted({{*_core.__all__, {', '.join(repr(each) for each in sorted(names))}}})\n",
        )
    )
    return "\n\n".join(blocks)


def _class(type_: Object | Interface) -> str:
    fields: tuple[Function, ...] = ()
    if isinstance(type_, Object):
        fields = tuple(each.read() for each in type_.fields)
    identity = Function("id", "id", TypeDef(STRING), f"A unique identifier for this {type_.name}.")
    methods = "\n".join(_method(each) for each in (identity, *fields, *type_.functions))
    name = type_.name
    chained = (
        f'    def with_(self, cb: Callable[["{name}"], "{name}"]) -> "{name}":\n'
        '        """Call a function with this object; what it gives goes on in the chain."""\n'
        "        return cb(self)\n"
    )
    return f"class {name}(Type):\n{_docstring(type_.description, 1)}\n{methods}\n{chained}"


def _enum(enum: Enum) -> str:
    lines = [f"class {enum.name}(Enum):", _docstring(enum.description, 1)]
    for member in enum.members:
        lines.append(f"    {member.name} = {(member.value or member.name)!r}")
        if member.description:
            lines.append(_docstring(member.description, 1).rstrip())
    return "\n".join(lines) + "\n"


def _method(function: Function) -> str:
    lazy = function.returns.kind in {OBJECT, INTERFACE}
    required = [a for a in function.arguments if a.needed]
    optional = [a for a in function.arguments if not a.needed]
    parameters = ["self", *(f"{_name(a.name)}: {_annotation(a.type, of_argument=True)}" for a in required)]
    if optional:
        parameters += ["*", *(_defaulted(a) for a in optional)]
    returns = _annotation(function.returns) if function.returns.kind != VOID else "None"
    check = "    @typecheck\n" if function.arguments else ""
    word = "def" if lazy else "async def"
    arguments = ", ".join(_sent(a) for a in function.arguments)
    lines = [
        f"{check}    {word} {_name(function.name)}({', '.join(parameters)}) -> {returns}:",
        _docstring(function.description, 2).rstrip("\n"),
        f"        _args: list[Arg] = [{arguments}]",
        f"        _ctx = self._select({function.name!r}, _args)",
        f"        {_result(function.returns)}",
    ]
    return "\n".join(lines) + "\n"


def _result(type_: TypeDef) -> str:
    if type_.kind in {OBJECT, INTERFACE}:
        return f"return {_named(type_)}(_ctx)"
    if type_.kind == VOID:
        return "await _ctx.execute()"
    if type_.element is not None and type_.element.kind in {OBJECT, INTERFACE}:
        return f"return await _ctx.execute_object_list({_named(type_.element)})"
    return f"return await _ctx.execute({_annotation(type_).replace(chr(34), '')})"


def _named(type_: TypeDef) -> str:
    return type_.named.name if type_.named is not None else "Type"


def _annotation(type_: TypeDef, *, of_argument: bool = False) -> str:
    """A type as Python annotates it; an argument may be any object where an interface is asked for."""
    optional = type_.optional and not (type_.kind in {OBJECT, INTERFACE} and not of_argument)
    mark = " | None" if optional else ""
    if type_.element is not None:
        return f"list[{_annotation(type_.element, of_argument=of_argument)}]{mark}"
    if type_.kind == INTERFACE and of_argument:
        return f"Type{mark}"
    if type_.kind in {OBJECT, INTERFACE, ENUM}:
        return f'"{_named(type_)}{mark}"'
    if type_.kind == SCALAR and isinstance(type_.named, Scalar):
        return f'"{type_.named.name}{mark}"'
    return f"{_PLAIN.get(type_.kind, 'str')}{mark}"


def _default(argument: Argument) -> str:
    """An argument's default in Python: as the module says, if that can be written as it is."""
    if argument.default is None or argument.type.leaf.kind not in _PLAIN:
        return "None"
    return repr(json.loads(argument.default))


def _defaulted(argument: Argument) -> str:
    annotation = _annotation(argument.type, of_argument=True)
    if "None" not in annotation:
        annotation = f'{annotation[:-1]} | None"' if annotation.endswith('"') else f"{annotation} | None"
    return f"{_name(argument.name)}: {annotation} = {_default(argument)}"


def _sent(argument: Argument) -> str:
    default = "" if argument.needed else f", {_default(argument)}"
    return f"Arg({argument.name!r}, {_name(argument.name)}{default})"


def _name(name: str) -> str:
    found = snake(name)
    return f"{found}_" if keyword.iskeyword(found) or found in _RESERVED else found


def _docstring(description: str, depth: int) -> str:
    indent = "    " * depth
    said = (description or "").strip() or "Not described."
    escaped = said.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if escaped.endswith('"'):
        escaped += " "
    lines = escaped.splitlines()
    if len(lines) == 1:
        return f'{indent}"""{lines[0]}"""\n'
    body = "\n".join(f"{indent}{line}".rstrip() for line in lines[1:])
    return f'{indent}"""{lines[0]}\n{body}\n{indent}"""\n'
