"""Pulumi's file backend: its layout, and what is told of a state that can't be used."""

import gzip
import json
import os

import pytest

from infra.engine.state.backend import Backend, Checkpoint, folder_of
from infra.engine.state.errors import (
    CorruptError,
    LockedError,
    NoSuchStackError,
    StackExistsError,
    StateError,
)
from infra.engine.state.reference import Reference, parse

DEV = Reference("shop", "dev")
URN = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
ROOT = {"urn": URN, "custom": False, "type": "pulumi:pulumi:Stack"}
CHILD = {"urn": "urn:pulumi:dev::shop::a:b:C::c", "custom": False, "type": "a:b:C", "parent": URN}


def deployment(*resources):
    manifest = {"time": "2026-01-02T03:04:05Z", "magic": "", "version": ""}
    return {"manifest": manifest, "resources": list(resources), "metadata": {}}


@pytest.fixture
def backend(tmp_path):
    backend = Backend(f"file://{tmp_path}", {})
    backend.create(DEV)
    return backend


def test_files_are_where_pulumi_has_them(backend, tmp_path):
    backend.write(DEV, Checkpoint(3, (), deployment(ROOT)))
    backend.add_history(DEV, {"kind": "update"})
    found = {str(path.relative_to(tmp_path / ".pulumi")) for path in tmp_path.rglob("*") if path.is_file()}
    kinds = sorted(name for name in found if not name.endswith(".attrs"))
    assert kinds[0].startswith("backups/shop/dev/dev.")
    assert kinds[1].startswith("history/shop/dev/dev-")
    assert kinds[1].endswith(".checkpoint.json")
    assert kinds[2].endswith(".history.json")
    assert kinds[3:] == ["meta.yaml", "stacks/shop/dev.json", "stacks/shop/dev.json.bak"]
    assert (tmp_path / ".pulumi/meta.yaml").read_text(encoding="utf-8") == "version: 1\n"


def test_a_checkpoint_is_one_line_with_the_stack_in_full(backend, tmp_path):
    backend.write(DEV, Checkpoint(3, (), deployment(ROOT)))
    text = (tmp_path / ".pulumi/stacks/shop/dev.json").read_text(encoding="utf-8")
    assert text.startswith(
        '{"version":3,"checkpoint":{"stack":"organization/shop/dev","latest":{"manifest":{'
    )
    assert backend.read(DEV).deployment == deployment(ROOT)


def test_a_checkpoint_can_be_compressed_and_back(backend, tmp_path):
    packed = Backend(f"file://{tmp_path}", {"PULUMI_DIY_BACKEND_GZIP": "true"})
    packed.write(DEV, Checkpoint(3, (), deployment(ROOT)))
    file = tmp_path / ".pulumi/stacks/shop/dev.json.gz"
    assert json.loads(gzip.decompress(file.read_bytes()))["version"] == 3
    assert not (tmp_path / ".pulumi/stacks/shop/dev.json").exists()
    assert backend.read(DEV).deployment == deployment(ROOT)
    assert packed.stacks() == [DEV]


def test_the_old_layout_has_no_projects(tmp_path):
    stacks = tmp_path / ".pulumi/stacks"
    stacks.mkdir(parents=True)
    old = {"version": 3, "checkpoint": {"stack": "dev", "latest": deployment(ROOT)}}
    (stacks / "dev.json").write_text(json.dumps(old), encoding="utf-8")
    backend = Backend(f"file://{tmp_path}", {})
    assert backend.legacy
    assert "pulumi state upgrade" in backend.warning
    assert backend.stacks() == [Reference("", "dev")]
    assert backend.read(backend.parse("dev", "shop")).deployment == deployment(ROOT)
    assert not (tmp_path / ".pulumi/meta.yaml").exists()


@pytest.mark.parametrize("meta", ["version: 7\n", "other: 1\n", "version: [\n"])
def test_a_backend_of_another_make_is_refused(tmp_path, meta):
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi/meta.yaml").write_text(meta, encoding="utf-8")
    with pytest.raises(StateError, match=r"meta\.yaml"):
        Backend(f"file://{tmp_path}", {})


@pytest.mark.parametrize("content", ["", "{", '{"version":3,"checkpoint":{"stack"', "[]", "\x1f\x8bxx"])
def test_a_half_written_checkpoint_is_told_with_the_remedy(backend, content):
    backend.write(DEV, Checkpoint(3, (), deployment(ROOT)))
    backend.path(DEV).write_text(content, encoding="latin-1")
    with pytest.raises(
        CorruptError, match=r"half written or changed by hand.*dev\.json\.bak.*pulumi refresh"
    ):
        backend.read(DEV)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ([CHILD], "refers to missing parent"),
        ([CHILD, ROOT], "comes after it"),
        ([ROOT, ROOT], "duplicate resource"),
        ([ROOT, CHILD | {"dependencies": ["urn:x"]}], "refers to missing dependency urn:x"),
        ([ROOT, CHILD | {"provider": "urn:p::id"}], "refers to unknown provider"),
    ],
)
def test_a_state_that_contradicts_itself_is_not_used(backend, resources, message):
    backend.write(DEV, Checkpoint(3, (), deployment(*resources)))
    with pytest.raises(CorruptError, match=f"snapshot integrity failure; refusing to use it: .*{message}"):
        backend.read(DEV)


def test_a_second_update_is_refused_and_told_who_holds_the_lock(backend):
    with backend.locks(DEV).hold(), pytest.raises(LockedError) as refused, backend.locks(DEV).hold():
        raise AssertionError
    text = str(refused.value)
    assert text.startswith(
        "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end"
    )
    assert f"(pid {os.getpid()}) at 20" in text
    assert "/.pulumi/locks/organization/shop/dev/" in text
    assert backend.locks(DEV).held() == []


def test_a_lock_whose_holder_is_gone_says_so(backend):
    import socket

    folder = backend.root / ".pulumi/locks/organization/shop/dev"
    folder.mkdir(parents=True, exist_ok=True)
    owner = {
        "pid": 999999999,
        "username": "eve",
        "hostname": socket.gethostname(),
        "timestamp": "2026-01-01T00:00:00.5Z",
    }
    (folder / "x.json").write_text(json.dumps(owner), encoding="utf-8")
    with pytest.raises(
        LockedError, match=r"eve@.* \(pid 999999999\) at 2026-01-01T00:00:00Z \(that process is gone"
    ):
        backend.create(Reference("shop", "dev"))
    assert backend.locks(DEV).remove_all() == 1


def test_a_stack_is_made_once(backend):
    with pytest.raises(StackExistsError, match="stack 'organization/shop/dev' already exists"):
        backend.create(DEV)
    with pytest.raises(NoSuchStackError, match="no stack named 'prod' found"):
        backend.read(Reference("shop", "prod"))


def test_a_stack_with_resources_is_not_removed(backend):
    backend.write(DEV, Checkpoint(3, (), deployment(ROOT, CHILD)))
    with pytest.raises(StateError, match="still contains resources"):
        backend.remove(DEV)
    backend.remove(DEV, force=True)
    assert backend.stacks() == []


def test_a_renamed_stack_takes_its_resources_and_history_along(backend):
    backend.write(DEV, Checkpoint(3, (), deployment(ROOT, CHILD)))
    backend.add_history(DEV, {"kind": "update"})
    new = Reference("shop", "test")
    backend.rename(DEV, new)
    root, child = backend.read(new).deployment["resources"]
    assert root["urn"] == "urn:pulumi:test::shop::pulumi:pulumi:Stack::shop-test"
    assert child["parent"] == root["urn"]
    assert backend.history(new) == [{"kind": "update"}]
    assert backend.stacks() == [new]


def test_tags_are_kept_until_the_last_is_gone(backend):
    backend.set_tags(DEV, {"a": "b"})
    assert backend.tags(DEV) == {"a": "b"}
    backend.set_tags(DEV, {})
    assert list((backend.root / ".pulumi/stacks/shop").glob("*tags*")) == []


@pytest.mark.parametrize(
    ("text", "project", "wanted"),
    [
        ("dev", "shop", DEV),
        ("organization/dev", "shop", DEV),
        ("organization/other/dev", None, Reference("other", "dev")),
    ],
)
def test_how_a_stack_may_be_named(text, project, wanted):
    assert parse(text, project, legacy=False) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must not be empty"),
        ("me/shop/dev", "must be 'organization'"),
        ("a@b", "invalid character '@' at position 1"),
        ("organization/a b/dev", "project names may only contain"),
        ("x" * 101, "cannot exceed 100"),
    ],
)
def test_how_a_stack_may_not_be_named(text, message):
    with pytest.raises(StateError, match=message):
        parse(text, "shop", legacy=False)


def test_a_backend_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(StateError, match="keeps state in files alone"):
        folder_of("s3://bucket")
    with pytest.raises(StateError, match="does not exist"):
        Backend(f"file://{tmp_path}/none", {})
