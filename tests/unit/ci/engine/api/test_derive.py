"""The schema that is read back out of the installed SDK's generated client."""

import pytest
from graphql import GraphQLSchema, build_schema, print_ast
from graphql.type import assert_input_object_type, assert_interface_type, assert_object_type

from ci.engine.api.derivation.client import NULLABLE, DerivationError, derive
from ci.engine.api.derivation.sdl import sdl
from ci.engine.api.source import generated_client

METHOD = """
class Query(Root):
    def a(self, {parameter}):
        _args = [Arg("b", b)]
        _ctx = self._select({name}, _args)
        return {result}
"""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(sdl(derive(generated_client().read_text())))


def field(schema: GraphQLSchema, type_name: str, name: str):
    return assert_object_type(schema.type_map[type_name]).fields[name]


def default(argument) -> str:
    return print_ast(argument.ast_node.default_value)


def test_arguments_have_the_names_types_and_defaults_that_the_client_sends(schema):
    with_exec = field(schema, "Container", "withExec")
    assert {name: str(a.type) for name, a in with_exec.args.items()} == {
        "args": "[String!]!",
        "useEntrypoint": "Boolean",
        "stdin": "String",
        "redirectStdin": "String",
        "redirectStdout": "String",
        "redirectStderr": "String",
        "expect": "ReturnType",
        "experimentalPrivilegedNesting": "Boolean",
        "insecureRootCapabilities": "Boolean",
        "expand": "Boolean",
        "noInit": "Boolean",
    }
    assert default(with_exec.args["expect"]) == "SUCCESS"
    assert default(with_exec.args["useEntrypoint"]) == "false"
    assert default(with_exec.args["stdin"]) == '""'
    assert default(field(schema, "Container", "asTarball").args["platformVariants"]) == "[]"
    assert field(schema, "Container", "asTarball").args["forcedCompression"].ast_node.default_value is None
    assert str(with_exec.type) == "Container!"


def test_an_object_argument_is_an_id_that_says_which_type_it_expects(schema):
    source = field(schema, "Container", "withDirectory").args["source"]
    assert str(source.type) == "ID!"
    [directive] = source.ast_node.directives
    assert directive.name.value == "expectedType"
    assert directive.arguments[0].value.value == "Directory"


@pytest.mark.parametrize(
    ("type_name", "name", "type_"),
    [
        ("Container", "id", "ID!"),
        ("Container", "sync", "ID!"),
        ("Container", "stdout", "String!"),
        ("Container", "exitCode", "Int!"),
        ("Container", "label", "String"),
        ("Container", "envVariables", "[EnvVariable!]!"),
        ("Container", "entrypoint", "[String!]!"),
        ("Container", "platform", "Platform!"),
        ("Container", "stat", "Stat"),
        ("Directory", "exists", "Boolean!"),
        ("Query", "node", "Node"),
        ("Query", "defaultPlatform", "Platform!"),
        ("JSONValue", "contents", "JSON!"),
        ("Service", "start", "ID!"),
        ("Secret", "plaintext", "String!"),
    ],
)
def test_a_field_returns_what_the_client_awaits(schema, type_name, name, type_):
    assert str(field(schema, type_name, name).type) == type_


def test_interfaces_are_implemented_by_the_types_that_have_their_fields(schema):
    def implementations(name: str) -> set[str]:
        interface = assert_interface_type(schema.type_map[name])
        return {o.name for o in schema.get_implementations(interface).objects}

    assert implementations("Exportable") == {"Changeset", "Container", "Directory", "File"}
    assert {"Container", "Directory", "File", "Service"} < implementations("Syncer")
    assert "Secret" not in implementations("Syncer")
    assert {"Query", "Secret", "Container"} < implementations("Node")


def test_input_types_have_their_fields_and_defaults(schema):
    forward = assert_input_object_type(schema.type_map["PortForward"])
    assert {n: str(f.type) for n, f in forward.fields.items()} == {
        "backend": "Int!",
        "frontend": "Int",
        "protocol": "NetworkProtocol",
    }
    assert default(forward.fields["protocol"]) == "TCP"


def test_enums_keep_every_name_that_the_client_has(schema):
    assert set(schema.type_map["ImageLayerCompression"].values) >= {"Gzip", "GZIP", "Zstd", "Uncompressed"}


def test_loading_by_id_takes_the_scalar_of_the_type(schema):
    assert str(field(schema, "Query", "loadContainerFromID").args["id"].type) == "ContainerID!"


def test_descriptions_and_deprecations_come_from_the_client(schema):
    with_exec = field(schema, "Container", "withExec")
    assert with_exec.description.startswith("Execute a command in the container")
    assert "Raises" not in with_exec.description
    assert with_exec.args["args"].description
    assert field(schema, "EnumTypeDef", "values").deprecation_reason == "use members instead"


def test_every_field_listed_as_nullable_is_one_of_the_clients(schema):
    for type_name, names in NULLABLE.items():
        for name in names:
            assert not str(field(schema, type_name, name).type).endswith("!")


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("x = 1", "no Query type"),
        (METHOD.format(parameter="b: Unheard", name="'a'", result="Query(_ctx)"), "Unheard"),
        (METHOD.format(parameter="b: str", name="'a'", result="3"), "what Query.a returns"),
        (METHOD.format(parameter="b", name="'a'", result="Query(_ctx)"), "argument 'b'"),
        (METHOD.format(parameter="b: str", name="NAME", result="Query(_ctx)"), "where a string was expected"),
    ],
)
def test_a_client_of_another_shape_is_an_error_that_says_where(source, complaint):
    with pytest.raises(DerivationError, match=complaint):
        derive(source)
