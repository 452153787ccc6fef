"""`dagger init`, `develop`, `install`, `uninstall` and `config`: modules are made and changed."""

import json

import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.slow]


def config(folder):
    return json.loads((folder / "dagger.json").read_text())


def test_a_module_is_made_and_can_be_called_and_developed(dagger, repository):
    folder = repository / "fresh"
    done = dagger("init", "--sdk=python", "--name=my-tools", "fresh")
    assert (done.code, done.out) == (0, f"Initialized module my-tools in {folder}\n"), done.err
    assert (config(folder)["name"], config(folder)["sdk"]) == ("my-tools", {"source": "python"})
    assert (folder / "src/my_tools/main.py").is_file()
    assert (folder / "pyproject.toml").is_file()
    assert dagger("call", "-m", "fresh", "container-echo", "--string-arg", "hi", "stdout").out == "hi\n"

    again = dagger("init", "--sdk=python", "fresh")
    assert (again.code, again.err) == (1, "Error: module already exists\n")
    assert dagger("init", "fresh").code == 0  # there is nothing to be changed

    (folder / "sdk").rename(folder / "gone")
    assert dagger("develop", "-m", "fresh").code == 0
    assert (folder / "sdk").is_dir()


def test_code_goes_aside_where_there_is_other_code(dagger, repository):
    (repository / "busy").mkdir()
    (repository / "busy/README.md").write_text("busy")
    assert dagger("init", "--sdk=python", "busy").code == 0
    assert config(repository / "busy")["source"] == ".dagger"


def test_a_module_without_an_sdk_gets_one_later(dagger, repository):
    assert dagger("init", "bare").code == 0
    done = dagger("develop", "-m", "bare")
    assert (done.code, "requires either --sdk or --source" in done.err) == (1, True)
    assert dagger("develop", "-m", "bare", "--sdk=python").code == 0
    assert config(repository / "bare")["sdk"] == {"source": "python"}
    done = dagger("develop", "-m", "bare", "--sdk=go")
    assert done.err == 'Error: cannot update module SDK that has already been set to "python"\n'


def test_dependencies_come_and_go(dagger, repository):
    assert dagger("init", "user").code == 0
    done = dagger("install", "-m", "user", "./toolbox")
    assert (done.code, done.out) == (0, 'Installed module dependency "toolbox"\n'), done.err
    assert config(repository / "user")["dependencies"] == [{"name": "toolbox", "source": "../toolbox"}]
    done = dagger("install", "-m", "user", "--name", "box", "toolbox")
    assert done.out == 'Installed module dependency "box"\n'
    assert dagger("uninstall", "-m", "user", "toolbox").code == 0
    assert [each["name"] for each in config(repository / "user")["dependencies"]] == ["box"]
    done = dagger("uninstall", "-m", "user", "toolbox")
    assert (done.code, done.err.startswith("Error: failed to update dependencies: ")) == (1, True)


def test_the_configuration_is_told(dagger, repository):
    told = dagger("config", "-m", "toolbox").out
    rows = dict(line.split(":", 1) for line in told.splitlines())
    assert {name: value.strip() for name, value in rows.items()} == {
        "Name": "toolbox",
        "SDK": "python",
        "Context Directory": str(repository),
        "Source Root Directory": str(repository / "toolbox"),
    }
    assert json.loads(dagger("config", "-m", "toolbox", "--json").out)["name"] == "toolbox"


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_where_there_is_no_module_nothing_is_changed(dagger, command):
    done = dagger(command, "./toolbox")
    assert (done.code, done.err) == (1, "Error: module must be fully initialized\n")
