"""The schema with a module's types: valid GraphQL, beside Dagger's own and not in its way."""

from dataclasses import replace
from pathlib import Path

import pytest
from graphql import build_client_schema, validate_schema

from ci.engine.api import source
from ci.engine.modules.schema.extended import ABSENT, ExtendedSource
from ci.engine.modules.types import coretypes
from ci.engine.modules.types.kinds import ENUM, INPUT, OBJECT
from ci.engine.modules.types.typedefs import Function, Object, TypeDef
from tests.unit.ci.engine.modules.generated.test_bindings import GREETER, MODULE


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> source.SchemaSource:
    return source.installed(Path(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="module")
def extended(core: source.SchemaSource) -> ExtendedSource:
    return ExtendedSource(core, (MODULE,), None, (), lambda _module, _type, _name: lambda *_: None)


def test_introspection_tells_of_a_valid_schema(extended: ExtendedSource) -> None:
    schema = build_client_schema(extended.introspection)
    assert validate_schema(schema) == []
    greet = schema.type_map["Greeter"].fields["greet"]
    assert {name: str(a.type) for name, a in greet.args.items()} == {
        "name": "String!",
        "mood": "GreeterMood!",
        "list": "String",
    }
    assert str(schema.query_type.fields["greeter"].type) == "Greeter!"


def test_an_argument_with_a_default_may_be_left_out(extended: ExtendedSource) -> None:
    arguments = extended.schema.objects["Greeter"].fields["greet"].arguments
    assert arguments["name"].required
    assert not arguments["mood"].required
    assert arguments["mood"].default is ABSENT


def test_the_core_schema_is_left_as_it_was(core: source.SchemaSource, extended: ExtendedSource) -> None:
    assert "greeter" in extended.schema.objects["Query"].fields
    assert "greeter" not in core.schema.objects["Query"].fields
    assert "Greeter" not in {t["name"] for t in core.introspection["__schema"]["types"]}


def test_an_entrypoints_functions_are_of_query_too(core: source.SchemaSource) -> None:
    answers = lambda _module, _type, _name: lambda *_: None  # noqa: E731
    promoted = ExtendedSource(core, (MODULE,), None, (), answers, promoted=MODULE)
    fields = build_client_schema(promoted.introspection).query_type.fields
    assert set(fields["greet"].args) == {"name", "mood", "list"}
    assert set(promoted.schema.objects["Query"].fields["greet"].arguments) == {"name", "mood", "list"}


def test_an_entrypoint_has_fields_and_what_is_named_like_daggers_own_and_no_constructor(
    core: source.SchemaSource,
) -> None:
    own = Function("secret", "secret", TypeDef("STRING_KIND"))
    main = replace(GREETER, functions=(*GREETER.functions, own))
    module = replace(MODULE, objects=(TypeDef(OBJECT, named=main), *MODULE.objects[1:]))
    answers = lambda _module, _type, _name: lambda *_: None  # noqa: E731
    promoted = ExtendedSource(core, (module,), None, (), answers, promoted=module)
    schema = build_client_schema(promoted.introspection)
    assert validate_schema(schema) == []
    told = schema.query_type.fields
    for fields in (told, promoted.schema.objects["Query"].fields):
        assert {name: str(fields[name].type) for name in ("secret", "str", "with")} == {
            "secret": "String!",
            "str": "String!",
            "with": "Query!",
        }
        assert "greeter" not in fields
    assert set(told["with"].args) == {"src"}


def test_a_module_that_is_not_served_is_known_but_not_shown(core: source.SchemaSource) -> None:
    hidden = ExtendedSource(core, (), None, (MODULE,), lambda _module, _type, _name: lambda *_: None)
    assert "Greeter" in hidden.schema.objects
    assert "greeter" not in hidden.schema.objects["Query"].fields
    assert "Greeter" not in {t["name"] for t in hidden.introspection["__schema"]["types"]}


def test_daggers_own_types_are_told_of_like_those_of_modules(core: source.SchemaSource) -> None:
    found = {t.named.name: t for t in coretypes.typedefs(core.schema, core.introspection) if t.named}
    container = found["Container"].named
    assert isinstance(container, Object)
    with_exec = container.named_functions()["withExec"]
    arguments = {a.name: a for a in with_exec.arguments}
    assert with_exec.returns.text == "Container!"
    assert arguments["args"].type.text == "[String!]!"
    assert arguments["expect"].type.kind == ENUM
    assert arguments["expect"].default == '"SUCCESS"'
    directory = {a.name: a for a in container.named_functions()["withDirectory"].arguments}["source"]
    assert (directory.type.kind, directory.type.named.name) == (OBJECT, "Directory")
    assert found["PortForward"].kind == INPUT
    assert "id" not in container.named_functions()
