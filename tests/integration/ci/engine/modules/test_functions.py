"""Functions of Python modules: their types are told, and they do what their code says."""

import os
import shutil
from collections.abc import Iterator

import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.slow]


def test_a_module_tells_what_it_has_in_graphqls_names(session) -> None:
    [module] = session.data(
        """{moduleSource(refString: "greeter") {asModule {
            name description objects {asObject {name description constructor {args {
                name description defaultValue defaultPath ignore typeDef {kind optional}}}
              fields {name} functions {name description}}}
            enums {asEnum {name members {name value description}}} interfaces {asInterface {name}}}}}"""
    )["moduleSource"].values()
    assert (module["name"], module["description"]) == ("greeter", "Greets people.")
    objects = {each["asObject"]["name"]: each["asObject"] for each in module["objects"]}
    assert set(objects) == {"Greeter", "GreeterPerson", "GreeterChecks"}
    source, greeting = objects["Greeter"]["constructor"]["args"]
    assert source == {
        "name": "source",
        "description": "",
        "defaultValue": "",
        "defaultPath": ".",
        "ignore": ["**/*.pyc", "pyproject.toml"],
        "typeDef": {"kind": "OBJECT_KIND", "optional": True},
    }
    assert greeting["defaultValue"] == '"hello"'
    assert "nameOf" in {each["name"] for each in objects["Greeter"]["functions"]}
    [mood] = (each["asEnum"] for each in module["enums"])
    assert mood["members"][0] == {"name": "GOOD", "value": "good", "description": "All is well"}
    assert [each["asInterface"]["name"] for each in module["interfaces"]] == ["GreeterNamed"]


def test_current_type_defs_have_it_among_daggers_own(session) -> None:
    found = session.data("{currentTypeDefs(hideCore: true) {asObject {name functions {name}}}}")[
        "currentTypeDefs"
    ]
    objects = {each["asObject"]["name"]: each["asObject"] for each in found if each["asObject"]}
    assert {"Greeter", "Container"} <= set(objects)
    assert [each["name"] for each in objects["Query"]["functions"]] == ["greeter"]


def test_arguments_defaults_enums_lists_and_null_come_through(session) -> None:
    found = session.data(
        """{greeter(greeting: "hi") {greeting greet a: greet(name: "ann", mood: BAD) moods
            maybe b: maybe(from: "x") people(names: ["ann", "bob"]) {name shout} file {contents name}}}"""
    )["greeter"]
    assert found == {
        "greeting": "hi",
        "greet": "hi, world! (good)",
        "a": "hi, ann! (bad)",
        "moods": ["GOOD", "BAD"],
        "maybe": None,
        "b": "x",
        "people": [{"name": "ann", "shout": "ANN"}, {"name": "bob", "shout": "BOB"}],
        "file": {"contents": "hi", "name": "hello.txt"},
    }


def test_objects_are_given_by_their_ids_and_as_the_interfaces_they_implement(session) -> None:
    [ann] = session.data('{greeter {people(names: ["ann"]) {id}}}')["greeter"]["people"]
    found = session.data(
        f'{{greeter {{loud(person: "{ann["id"]}") nameOf(somebody: "{ann["id"]}") '
        f'itself(somebody: "{ann["id"]}") {{name __typename}}}}}}'
    )["greeter"]
    assert found == {"loud": "ANN", "nameOf": "ann", "itself": {"name": "ann", "__typename": "GreeterPerson"}}
    directory = session.data("{directory {id}}")["directory"]["id"]
    assert 'expected "GreeterPerson" ID' in session.message(f'{{greeter {{loud(person: "{directory}")}}}}')


def test_default_paths_are_of_the_module_or_of_the_repository_without_what_is_ignored(session) -> None:
    folder = session.data(
        '{directory {withNewFile(path: "a.txt", contents: "") {withNewFile(path: "b", contents: "") {id}}}}'
    )
    id_ = folder["directory"]["withNewFile"]["withNewFile"]["id"]
    found = session.data(f'{{greeter {{files given(folder: "{id_}")}}}}')["greeter"]
    assert set(found["files"]) == {"dagger.json", "src/", "src/greeter/", "src/greeter/__init__.py"}
    assert found["given"] == ["b", "noted"]


def test_an_error_is_the_functions_own(session) -> None:
    assert session.message("{greeter {fail}}") == "FunctionError: no way"
    [error] = session.ask("{greeter {stepFails}}")["errors"]
    assert error["message"] == "exit code: 3"
    wanted = {"_type": "EXEC_ERROR", "exitCode": 3, "stdout": "out", "stderr": "err"}
    assert {key: error["extensions"][key] for key in wanted} == wanted
    assert "ci/engine" not in str(error)


def test_wrong_calls_are_refused_in_graphqls_words(session) -> None:
    assert session.message("{greeter {nope}}").startswith('Cannot query field "nope" on type "Greeter".')
    assert '"UGLY" does not exist in "GreeterMood" enum' in session.message("{greeter {greet(mood: UGLY)}}")


def test_no_output_shows_a_secret_that_the_code_asked_for(session) -> None:
    name = os.urandom(4).hex()  # another each time: what a function gives is kept
    made = session.data(f'{{setSecret(name: "{name}", plaintext: "hunter2hunter2") {{id}}}}')
    secret = made["setSecret"]["id"]
    assert session.data(f'{{greeter {{reveal(secret: "{secret}")}}}}')["greeter"]["reveal"] == "told"
    log = session.said("the secret is", "another is")
    assert "the secret is ***" in log
    assert "another is ***" in log
    assert "hunter2" not in log
    assert "made-by-the-module" not in log


def test_a_modules_code_has_no_part_in_its_callers_host(session) -> None:
    assert session.data("{greeter {host}}")["greeter"]["host"] == [
        "Query.host",
        'a secret of provider "cmd"',
        "greeter",
        '{\n  "name": "greeter",\n  "engi',
        '{\n  "name": "greeter",\n  "engi',
        "Directory.export",
        "Container.withExec",
    ]


def test_checks_are_found_run_and_told_apart(session) -> None:
    found = session.data(
        """{moduleSource(refString: "greeter") {asModule {checks {
            list {name description run {passed error {message} resultEmoji}}}}}}"""
    )["moduleSource"]["asModule"]["checks"]["list"]
    assert {each["name"]: each["run"] for each in found} == {
        "passes": {"passed": True, "error": None, "resultEmoji": "🟢"},
        "checks:fails": {
            "passed": False,
            "error": {"message": "FunctionError: as it should"},
            "resultEmoji": "🔴",
        },
    }
    listed = '{moduleSource(refString: "greeter") {asModule {checks(include: ["checks:*"]) {list {name}}}}}'
    assert session.data(listed)["moduleSource"]["asModule"]["checks"]["list"] == [{"name": "checks:fails"}]


def test_results_are_used_again_as_the_functions_say(session, start) -> None:
    query = "{greeter {unique always once}}"
    first, second = session.data(query)["greeter"], session.data(query)["greeter"]
    with start() as other:
        other.serve("greeter")
        third = other.data(query)["greeter"]
    assert first["unique"] == second["unique"] == third["unique"]
    assert first["once"] == second["once"] != third["once"]
    assert len({each["always"] for each in (first, second, third)}) == 3


def test_a_module_calls_the_functions_of_another(session) -> None:
    session.serve("caller")
    found = session.data("{caller {call fail}}")["caller"]
    assert found["call"] == ["ho, you! (bad)", "ANN", "BOB", "ann", "ho"]
    assert found["fail"] == "caught: FunctionError: no way"


def test_no_one_but_a_module_has_a_current_module(session) -> None:
    assert session.message("{currentModule {name}}") == "no current module"
    assert session.message("{currentFunctionCall {name}}") == "no current module"


def test_remote_modules_are_refused_with_the_remedy(session) -> None:
    message = session.message('{moduleSource(refString: "github.com/shykes/hello") {moduleName}}')
    assert "clone the repository and name the module's folder" in message


def test_an_edited_module_takes_its_own_place_and_another_of_its_name_is_refused(start, repository) -> None:
    shutil.copytree(repository / "greeter", repository / "other")
    code = repository / "other/src/greeter/__init__.py"
    with start() as session:
        session.serve("other")
        code.write_text(code.read_text().replace("def greet(", "def welcome("))
        session.serve(f"{repository}/other")
        assert session.data("{greeter {welcome}}") == {"greeter": {"welcome": "hello, world! (good)"}}
        message = session.message('{moduleSource(refString: "greeter") {asModule {serve}}}')
        assert message.startswith(f"module greeter (source: {repository}/greeter)")
        assert f"already exists with different source {repository}/other" in message


def test_an_entrypoints_functions_and_fields_are_of_query_and_with_gives_its_constructors_arguments(
    start,
) -> None:
    with start() as session:
        session.data('{moduleSource(refString: "greeter") {asModule {serve(entrypoint: true)}}}')
        assert session.data('{greeting greet(name: "Bob")}') == {
            "greeting": "hello",
            "greet": "hello, Bob! (good)",
        }
        assert session.data('{with(greeting: "hi") {greeting greet}}') == {
            "with": {"greeting": "hi", "greet": "hi, world! (good)"}
        }
        assert "Cannot query field" in session.message("{greeter {greet}}")
        types = session.data("{t: currentTypeDefs(hideCore: true) {asObject {name functions {name}}}}")["t"]
        [query] = [each["asObject"] for each in types if (each["asObject"] or {}).get("name") == "Query"]
        told = {each["name"] for each in query["functions"]}
        assert {"with", "greet", "greeting"} <= told
        assert not {"greeter", "container"} & told


def test_whatever_a_type_refers_to_is_among_all_types_by_its_name(session) -> None:
    refers = "functions {returnType {name} args {typeDef {name}}}"
    query = f"""{{types: currentTypeDefs(returnAllTypes: true) {{
        name optional
        asObject {{fields {{typeDef {{name}}}} {refers}}}
        asInterface {{{refers}}}
        asInput {{fields {{typeDef {{name}}}}}}
        asList {{elementTypeDef {{name}}}}
    }}}}"""
    types = session.data(query)["types"]
    names = [each["name"] for each in types]
    assert len(names) == len(set(names))
    assert not any(each["optional"] for each in types)
    assert {"String", "Int", "Boolean", "Void", "[String]", "[GreeterMood]", "Greeter", "Container"} <= {
        *names
    }
    assert {name for each in types for name in _names_in(each)} == {*names}


def _names_in(told) -> Iterator[str]:
    if isinstance(told, list):
        for each in told:
            yield from _names_in(each)
    elif isinstance(told, dict):
        for name, value in told.items():
            yield from [value] if name == "name" else _names_in(value)
