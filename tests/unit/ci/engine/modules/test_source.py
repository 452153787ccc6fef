"""Where modules are: paths and names on the host, and nothing elsewhere."""

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from ci.engine.errors import EngineError
from ci.engine.modules import source
from ci.engine.modules.loading import check
from ci.engine.modules.source import ModuleSource, context_path, includes, remote
from ci.engine.store import algebra
from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store
from ci.engine.store.tree import EMPTY, REGULAR, Put

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "state", Ownership(on_disk=False))
    yield store
    store.close()


@pytest.fixture
def find(store: Store, tmp_path: Path):
    """Find a module below the repository of the test."""
    (tmp_path / "repo" / ".git").mkdir(parents=True)

    async def in_thread(function: partial):
        return function()

    works = SimpleNamespace(store=store, evaluator=SimpleNamespace(in_thread=in_thread))

    async def find(reference: str = ".", *, workdir: str = ".", **options: bool) -> ModuleSource:
        return await source.local(works, tmp_path / "repo" / workdir, reference, **options)

    return find


def module(folder: Path, name: str, **more: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagger.json").write_text(json.dumps({"name": name, "sdk": {"source": "python"}} | more))
    (folder / "main.py").write_text("")


def paths(store: Store, found: ModuleSource) -> set[str]:
    """The files in the module's context."""
    tree = found.context.files.snapshot.tree
    changes = algebra.difference(store.trees, EMPTY, tree)
    return {change.path for change in changes if isinstance(change, Put) and change.entry.kind == REGULAR}


async def test_a_module_is_found_from_below_and_named_from_its_repository(find, tmp_path) -> None:
    module(tmp_path / "repo" / "a", "a")
    (tmp_path / "repo" / "a" / "deep").mkdir()
    found = await find(workdir="a/deep")
    assert (found.module_name, found.root, found.original_subpath) == ("a", "a", "a/deep")
    assert found.place == str(tmp_path / "repo")


async def test_its_context_is_its_own_folder_and_what_it_includes(find, tmp_path, store) -> None:
    module(tmp_path / "repo" / "a", "a", include=["../shared", "!secret.txt"])
    (tmp_path / "repo" / "shared").mkdir()
    for name in ("shared/x", "a/secret.txt", "outside.txt"):
        (tmp_path / "repo" / name).write_text("")
    (tmp_path / "repo" / "a" / ".venv").mkdir()
    (tmp_path / "repo" / "a" / ".venv" / "y").write_text("")
    found = {path.lstrip("/") for path in paths(store, await find("a"))}
    assert found == {"a/dagger.json", "a/main.py", "shared/x"}


async def test_a_dependency_is_another_module_under_a_name_of_the_dependents_choice(find, tmp_path) -> None:
    module(tmp_path / "repo" / "a", "a", dependencies=[{"name": "bee", "source": "../b"}])
    module(tmp_path / "repo" / "b", "b")
    [found] = (await find("a")).dependencies
    assert (found.module_name, found.config.name) == ("bee", "b")
    assert (await find("bee", workdir="a")).config.name == "b"


async def test_its_content_names_it_wherever_it_lies(find, tmp_path) -> None:
    module(tmp_path / "repo" / "a", "a")
    before = (await find("a")).content
    assert (await find("a")).content == before
    (tmp_path / "repo" / "a" / "main.py").write_text("changed")
    assert (await find("a")).content != before


async def test_modules_that_depend_on_each_other_are_an_error_that_shows_the_circle(find, tmp_path) -> None:
    module(tmp_path / "repo" / "a", "a", dependencies=[{"name": "b", "source": "../b"}])
    module(tmp_path / "repo" / "b", "b", dependencies=[{"name": "a", "source": "../a"}])
    with pytest.raises(EngineError, match=r"in a circle: .*a -> .*b -> .*a"):
        await find("a")


async def test_a_dependency_that_is_not_there_is_an_error(find, tmp_path) -> None:
    module(tmp_path / "repo" / "a", "a", dependencies=[{"name": "b", "source": "../b"}])
    with pytest.raises(EngineError, match=r'local path "\.\./b" does not exist'):
        await find("a")


@pytest.mark.parametrize("where", ["/etc", "../../out"])
async def test_a_modules_code_lies_in_its_context(find, tmp_path, where: str) -> None:
    module(tmp_path / "repo" / "a", "a", source=where)
    with pytest.raises(EngineError, match="source path"):
        await find("a")


@pytest.mark.parametrize(
    "reference", ["github.com/dagger/dagger", "https://x.org/y", "git@github.com:a/b", "ssh://x/y"]
)
def test_a_module_elsewhere_is_told_from_one_on_the_host(reference: str) -> None:
    assert remote(reference)
    assert not remote("./" + reference)


async def test_no_module_is_an_error_that_says_how_to_make_one(find) -> None:
    found = await find(".")
    assert not found.config_exists
    with pytest.raises(EngineError, match="dagger init --sdk=python"):
        check(found)


async def test_a_module_of_another_sdk_is_refused_by_its_name(find, tmp_path) -> None:
    module(tmp_path / "repo" / "a", "a", sdk={"source": "go"})
    with pytest.raises(EngineError, match=r'SDK "go".*Python.*own engine'):
        check(await find("a"))


async def test_a_default_path_starts_at_the_module_or_at_its_context(find, tmp_path) -> None:
    module(tmp_path / "repo" / "a", "a")
    found = await find("a")
    assert [context_path(found, path) for path in (".", "x", "/", "/x", "../y")] == [
        "a",
        "a/x",
        ".",
        "x",
        "y",
    ]
    with pytest.raises(EngineError, match="escapes the context"):
        context_path(found, "../../z")


async def test_a_pattern_is_of_the_folder_that_dagger_json_is_in(find, tmp_path) -> None:
    module(tmp_path / "repo" / "a", "a", include=["!x", "../y"])
    assert includes((await find("a")).config, "a") == ("a/dagger.json", "a/**", "!a/x", "y")
