"""Prints a schema's definitions in GraphQL's schema definition language."""

import json
from collections.abc import Iterable, Iterator

from ci.engine.api.derivation.definitions import (
    Argument,
    Definitions,
    Enum,
    EnumValue,
    Field,
    Input,
    Object,
    Scalar,
)

DIRECTIVES = """\
directive @expectedType(name: String!) on ARGUMENT_DEFINITION | FIELD_DEFINITION
directive @enumValue(value: String!) on ENUM_VALUE
"""


def sdl(definitions: Definitions) -> str:
    """Return the schema as SDL text."""
    parts = [
        DIRECTIVES,
        *(_scalar(s) for s in definitions.scalars),
        *(_enum(e) for e in definitions.enums),
        *(_input(i) for i in definitions.inputs),
        *(_object("interface", i) for i in definitions.interfaces),
        *(_object("type", o) for o in definitions.objects),
    ]
    return "\n".join(parts)


def _scalar(scalar: Scalar) -> str:
    return f"{_description(scalar.description)}scalar {scalar.name}\n"


def _enum(enum: Enum) -> str:
    lines = (
        f"{_description(v.description, '  ')}  {v.name}{_directive('enumValue', value=_meaning(v))}"
        for v in enum.values
    )
    return f"{_description(enum.description)}enum {enum.name} {{\n{_lines(lines)}}}\n"


def _input(input_: Input) -> str:
    lines = (f"{_description(f.description, '  ')}  {_argument(f)}" for f in input_.fields)
    return f"{_description(input_.description)}input {input_.name} {{\n{_lines(lines)}}}\n"


def _object(keyword: str, object_: Object) -> str:
    implements = " implements " + " & ".join(object_.interfaces) if object_.interfaces else ""
    fields = _lines(_field(f) for f in object_.fields)
    return f"{_description(object_.description)}{keyword} {object_.name}{implements} {{\n{fields}}}\n"


def _field(field: Field) -> str:
    arguments = ""
    if field.arguments:
        arguments = f"(\n{_lines(_described(a) for a in field.arguments)}  )"
    directives = _directive("expectedType", name=field.expects) + _directive(
        "deprecated", reason=field.deprecated
    )
    return f"{_description(field.description, '  ')}  {field.name}{arguments}: {field.type}{directives}"


def _described(argument: Argument) -> str:
    return f"{_description(argument.description, '    ')}    {_argument(argument)}"


def _argument(argument: Argument) -> str:
    default = "" if argument.default is None else f" = {argument.default}"
    return f"{argument.name}: {argument.type}{default}{_directive('expectedType', name=argument.expects)}"


def _directive(directive: str, **arguments: str | None) -> str:
    given = ", ".join(
        f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in arguments.items() if v is not None
    )
    return f" @{directive}({given})" if given else ""


def _meaning(value: EnumValue) -> str | None:
    return None if value.name == value.value else value.value


def _description(text: str, indent: str = "") -> str:
    return f"{indent}{json.dumps(text, ensure_ascii=False)}\n" if text else ""


def _lines(lines: Iterable[str]) -> str:
    return "".join(_terminated(lines))


def _terminated(lines: Iterable[str]) -> Iterator[str]:
    return (line + "\n" for line in lines)
