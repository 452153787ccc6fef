"""What `dagger init` and `dagger develop` write: a module that runs as it is."""

import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.slow]

INIT = """{moduleSource(refString: "fresh", allowNotExists: true) {withName(name: "my-thing") {
    withSDK(source: "python") {withSourceSubpath(path: ".dagger") {withEngineVersion(version: "latest") {
    generatedContextDirectory {export(path: ".")}}}}}}}"""


def test_a_new_module_is_written_found_and_called(session, repository) -> None:
    (repository / "fresh").mkdir()
    session.data(INIT)
    assert (repository / "fresh" / ".dagger" / "src" / "my_thing" / "main.py").is_file()
    assert (repository / "fresh" / ".dagger" / "sdk" / "src" / "dagger" / "__init__.py").is_file()
    session.serve("fresh")
    echo = session.data('{myThing {containerEcho(stringArg: "hello") {stdout}}}')["myThing"]["containerEcho"]
    assert echo == {"stdout": "hello\n"}


def test_a_dependency_is_added_by_its_place_and_removed_by_its_name(session) -> None:
    greeter = session.data('{moduleSource(refString: "greeter") {id}}')["moduleSource"]["id"]
    where = 'file(path: "caller/dagger.json") {contents}'
    added = session.data(
        f"""{{moduleSource(refString: "caller") {{withoutDependencies(dependencies: ["hi"]) {{
            withDependencies(dependencies: ["{greeter}"]) {{generatedContextDirectory {{{where}}}}}}}}}}}"""
    )["moduleSource"]["withoutDependencies"]["withDependencies"]["generatedContextDirectory"]["file"][
        "contents"
    ]
    assert '"name": "greeter",\n      "source": "../greeter"' in added
    assert '"hi"' not in added
