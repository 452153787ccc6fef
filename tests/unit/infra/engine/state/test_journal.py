"""The journal: the truth is durable before each call and after each step, at no cost that is a square."""

import json

import anyio
import pytest

from infra.engine.deploy.contract import Change
from infra.engine.state import journal as journals
from infra.engine.state.backend import Backend
from infra.engine.state.errors import CorruptError
from infra.engine.state.journal import provider_of, recording
from infra.engine.state.model import Operation, Resource, Snapshot
from infra.engine.state.reference import Reference
from infra.engine.state.secrets import Vault, fresh
from infra.engine.state.watch import fold
from infra.engine.values import Secret

DEV = Reference("shop", "dev")


@pytest.fixture(scope="module")
def vault():
    return Vault.opened(*fresh("p"))


@pytest.fixture
def backend(tmp_path):
    backend = Backend(f"file://{tmp_path}", {})
    backend.create(DEV)
    return backend


def resource(name, size=0, **fields):
    inputs = {"n": name, "pad": "x" * size, "pw": Secret("s")}
    return Resource(
        f"urn:pulumi:dev::shop::t:t:T::{name}", "t:t:T", custom=True, id=name, inputs=inputs, **fields
    )


def names(backend):
    return [item["urn"].split("::")[-1] for item in backend.read(DEV).deployment.get("resources", ())]


def pending(backend):
    operations = backend.read(DEV).deployment.get("pending_operations", ())
    return [(item["type"], item["resource"]["urn"].split("::")[-1]) for item in operations]


def recorded(backend, vault, *resources):
    snapshot = Snapshot(resources=resources, secrets_provider=provider_of(vault.state))
    return recording(backend, DEV, snapshot, vault, "v3.0.0")


@pytest.fixture(params=["whole", "journalled"])
def size(request, monkeypatch):
    """Small states are rewritten whole at each step; large ones run ahead of their checkpoint."""
    if request.param == "journalled":
        monkeypatch.setattr(journals, "SMALL", 0)
        monkeypatch.setattr(journals, "IDLE", 3600)
    return request.param


async def test_an_operation_is_pending_before_the_call_and_done_after_it(backend, vault, size):
    async with recorded(backend, vault) as journal:
        made = resource("a")
        creating = Operation(made, "creating")
        await journal.begin(creating)
        assert (names(backend), pending(backend)) == ([], [("creating", "a")])
        await journal.end(creating, Change(appends=(made,)))
        assert (names(backend), pending(backend)) == (["a"], [])


async def test_what_the_update_did_stands_before_what_it_has_not_come_to(backend, vault, size):
    olds = [resource("one"), resource("two"), resource("three")]
    async with recorded(backend, vault, *olds) as journal:
        same = resource("two", 1)
        await journal.end(None, Change(removes=(olds[1],), appends=(same,)))
        made = resource("new")
        await journal.end(None, Change(appends=(made,)))
        assert names(backend) == ["two", "new", "one", "three"]
        await journal.end(None, Change(replaces=((olds[2], resource("three", 5)),)))
        await journal.end(None, Change(removes=(made,)))
        assert names(backend) == ["two", "one", "three"]
    assert names(backend) == ["two", "one", "three"]


async def test_two_versions_of_a_resource_are_told_apart(backend, vault, size):
    old = resource("a")
    async with recorded(backend, vault, old) as journal:
        condemned, made = resource("a", delete=True), resource("a", 3)
        await journal.end(None, Change(replaces=((old, condemned),), appends=(made,)))
        assert names(backend) == ["a", "a"]
        await journal.end(None, Change(removes=(condemned,)))
    assert [item["inputs"]["pad"] for item in backend.read(DEV).deployment["resources"]] == ["xxx"]


async def test_a_step_that_changed_nothing_is_written_at_the_end(backend, vault):
    old = resource("a", source_position="here")
    async with recorded(backend, vault, old) as journal:
        before = backend.path(DEV).read_bytes()
        await journal.end(None, Change(removes=(old,), appends=(resource("a", source_position="there"),)))
        assert backend.path(DEV).read_bytes() == before
    assert backend.read(DEV).deployment["resources"][0]["sourcePosition"] == "there"


async def test_nothing_is_written_where_nothing_happened(backend, vault):
    before = backend.path(DEV).read_bytes()
    async with recorded(backend, vault, resource("a")):
        pass
    assert backend.path(DEV).read_bytes() == before


async def test_a_resource_that_has_another_name_is_referred_to_by_it(backend, vault, size):
    old = resource("old")
    user = resource("user", dependencies=(old.urn,), property_dependencies={"n": (old.urn,)})
    async with recorded(backend, vault, old, user) as journal:
        new = resource("new", aliases=(old.urn,))
        await journal.end(None, Change(removes=(old,), appends=(new,)))
        stored = backend.read(DEV).deployment["resources"]
    assert stored[1]["dependencies"] == [new.urn]
    assert stored[1]["propertyDependencies"] == {"n": [new.urn]}
    assert "aliases" not in stored[0]


async def test_secrets_are_encrypted_in_the_journal_too(backend, vault, monkeypatch):
    monkeypatch.setattr(journals, "SMALL", 0)
    monkeypatch.setattr(journals, "IDLE", 3600)
    async with recorded(backend, vault) as journal:
        for number in range(3):
            await journal.end(None, Change(appends=(resource(f"r{number}", 100),)))
        lines = backend.journal_path(DEV).read_text(encoding="utf-8")
    assert "ciphertext" in lines
    assert '\\"s\\"' not in lines
    assert not backend.journal_path(DEV).exists()


async def test_a_checkpoint_that_lags_is_refused_by_who_cannot_read_the_journal(backend, vault, monkeypatch):
    monkeypatch.setattr(journals, "SMALL", 0)
    monkeypatch.setattr(journals, "IDLE", 3600)
    async with recorded(backend, vault) as journal:
        for number in range(3):
            await journal.end(None, Change(appends=(resource(f"r{number}", 100),)))
        document = json.loads(backend.path(DEV).read_bytes())
        assert (document["version"], document["features"]) == (4, ["shipway-journal"])
        assert len(document["checkpoint"]["latest"]["resources"]) < 3
        assert names(backend) == ["r0", "r1", "r2"]
    assert json.loads(backend.path(DEV).read_bytes())["version"] == 3


async def test_it_is_whole_again_as_soon_as_nothing_is_to_be_written(backend, vault, monkeypatch):
    monkeypatch.setattr(journals, "SMALL", 0)
    monkeypatch.setattr(journals, "IDLE", 0)
    whole = anyio.Event()
    write_whole = journals.Journal._write_whole

    async def told(journal, *, lagging):
        await write_whole(journal, lagging=lagging)
        if not lagging:
            whole.set()

    monkeypatch.setattr(journals.Journal, "_write_whole", told)
    async with recorded(backend, vault) as journal:
        for number in range(3):
            await journal.end(None, Change(appends=(resource(f"r{number}", 100),)))
        with anyio.fail_after(10):
            await whole.wait()
        assert names(backend) == ["r0", "r1", "r2"]


async def test_a_line_cut_short_was_never_promised_and_is_left_out(backend, vault, monkeypatch):
    monkeypatch.setattr(journals, "SMALL", 0)
    monkeypatch.setattr(journals, "IDLE", 3600)
    async with recorded(backend, vault) as journal:
        for number in range(3):
            await journal.end(None, Change(appends=(resource(f"r{number}", 100),)))
        file = backend.journal_path(DEV)
        file.write_bytes(file.read_bytes()[:-20])
        assert names(backend) == ["r0", "r1"]


async def test_a_journal_left_behind_is_folded_in(backend, vault, monkeypatch):
    monkeypatch.setattr(journals, "SMALL", 0)
    monkeypatch.setattr(journals, "IDLE", 3600)
    async with recorded(backend, vault) as journal:
        await journal.end(None, Change(appends=(resource("a", 50),)))
        await journal.begin(Operation(resource("b"), "creating"))
        fold(backend.root, DEV)
        document = json.loads(backend.path(DEV).read_bytes())
        assert document["version"] == 3
        assert (names(backend), pending(backend)) == (["a"], [("creating", "b")])
        assert not backend.journal_path(DEV).exists()


async def test_a_lagging_checkpoint_without_its_journal_is_not_believed(backend, vault, monkeypatch):
    monkeypatch.setattr(journals, "SMALL", 0)
    monkeypatch.setattr(journals, "IDLE", 3600)
    async with recorded(backend, vault) as journal:
        for number in range(3):
            await journal.end(None, Change(appends=(resource(f"r{number}", 100),)))
        kept = backend.journal_path(DEV).read_bytes()
        backend.journal_path(DEV).unlink()
        with pytest.raises(CorruptError, match=r"its journal .* is missing"):
            backend.read(DEV)
        backend.journal_path(DEV).write_bytes(kept)


async def test_writes_grow_with_the_steps_and_not_with_their_square(backend, vault, monkeypatch):
    monkeypatch.setattr(journals, "SMALL", 4096)
    monkeypatch.setattr(journals, "IDLE", 3600)
    written = []
    write_text, append = Backend.write_text, journals._append
    monkeypatch.setattr(
        Backend,
        "write_text",
        lambda s, stack, text: (written.append(len(text)), write_text(s, stack, text))[1],
    )
    monkeypatch.setattr(
        journals, "_append", lambda path, content: (written.append(len(content)), append(path, content))[1]
    )

    async def cost(steps):
        written.clear()
        backend.remove(DEV, force=True)
        backend.create(DEV)
        async with recorded(backend, vault) as journal:
            for number in range(steps):
                await journal.end(None, Change(appends=(resource(f"r{number}", 200),)))
        return sum(written)

    few, many = await cost(100), await cost(400)
    assert many < 6 * few


async def test_steps_that_end_together_are_written_together(backend, vault, monkeypatch):
    writes = []
    write_text = Backend.write_text
    monkeypatch.setattr(
        Backend, "write_text", lambda s, stack, text: (writes.append(1), write_text(s, stack, text))[1]
    )
    async with recorded(backend, vault) as journal, anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(journal.end, None, Change(appends=(resource(f"r{number}"),)))
    assert len(writes) < 10
    assert len(names(backend)) == 20


async def test_a_rewrite_starts_anew(backend, vault, size):
    old = resource("old")
    async with recorded(backend, vault, old) as journal:
        await journal.begin(Operation(old, "updating"))
        fresh_start = resource("a")
        await journal.rewrite(Snapshot(resources=(fresh_start,)))
        assert (names(backend), pending(backend)) == (["a"], [])
        await journal.end(None, Change(removes=(fresh_start,)))
    deployment = backend.read(DEV).deployment
    assert deployment["secrets_providers"]["state"]["salt"] == vault.state
