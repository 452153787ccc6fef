"""Values of the graph outlive a session when they mean something to another, and else they are not kept."""

import json
from pathlib import Path

import pytest

from ci.engine.graph.container import Container, Mount
from ci.engine.graph.files import SCRATCH, Directory, Fixed, derive
from ci.engine.graph.secret import Secret
from ci.engine.graph.steps.execution import Exec, Output
from ci.engine.modules.running.record import Unrecordable, read, written
from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store
from ci.engine.store.tree import Lost, Snapshot


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path, Ownership(on_disk=False))
    yield store
    store.close()


def again(value: object, store: Store) -> object:
    """A value, written down as JSON and read back."""
    return read(json.loads(json.dumps(written(value))), store)


def container(**more: object) -> Container:
    files = derive("new_file", SCRATCH, path="/x", content="0" * 64, mode=0o644, owner=None)
    step = Exec(files, ("echo", "hello"), env=(("A", "b"),))
    mount = Mount("/mnt", "directory", derive("subdirectory", files, path="/"))
    return Container("linux/amd64", Output(step), mounts=(mount,), last=step, **more)


def test_a_container_is_the_same_in_another_session(store: Store) -> None:
    value = container()
    assert again(value, store) == value
    assert again(value, store).digest == value.digest


def test_a_chain_of_thousands_is_written_without_recursion(store: Store) -> None:
    files = SCRATCH
    for number in range(3_000):
        files = derive("new_file", files, path=f"/{number}", content="0" * 64, mode=0o644, owner=None)
        assert files.digest
    assert again(Directory(files), store).digest == Directory(files).digest


def test_what_is_used_twice_is_written_once() -> None:
    shared = container()
    assert len(written((shared, shared))) == len(written((shared,)))


def test_a_secret_that_the_client_set_is_not_kept() -> None:
    with pytest.raises(Unrecordable, match='"token"'):
        written(container(secret_env=(("TOKEN", Secret("token")),)))


def test_a_secret_of_a_provider_is_kept_by_its_name(store: Store) -> None:
    value = container(secret_env=(("TOKEN", Secret("env://TOKEN", "env://TOKEN")),))
    assert again(value, store) == value


def test_a_file_system_that_the_store_has_no_more_is_not_given_out(store: Store) -> None:
    nodes = written(Directory(Fixed(Snapshot("f" * 64))))
    with pytest.raises(Lost):
        read(nodes, store)


def test_no_class_but_the_engines_own_is_made(store: Store) -> None:
    with pytest.raises(ValueError, match="subprocess:Popen"):
        read([["subprocess:Popen", "true"]], store)


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param([["ci.engine.graph.files:NoSuchClass"]], id="a class that is gone"),
        pytest.param([["ci.engine.graph.no_such_module:Files"]], id="a module that is gone"),
        pytest.param([["tuple", [7]]], id="a node that is not there"),
        pytest.param([], id="nothing"),
    ],
)
def test_what_this_engine_did_not_write_is_a_value_error(nodes: list[list[object]], store: Store) -> None:
    with pytest.raises(ValueError, match="engine"):
        read(nodes, store)
