"""Pulumi's state in two places: of each stack the newer one counts, and the other one follows."""

import json

import pytest

from ci.stages.inside import stack

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    for name in ("IN", "OUT", "STATE", "HERE"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(stack, name, tmp_path / name)
    (tmp_path / "Pulumi.yaml").write_text("description: a program\nname: shipway\nruntime:\n  name: python\n")
    monkeypatch.chdir(tmp_path)


def checkpoint(root, name, time, project="shipway"):
    path = root / f".pulumi/stacks/{project}/{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"checkpoint": {"latest": {"manifest": {"time": time}}}}))
    (root / ".pulumi/meta.yaml").write_text("version: 1\n")
    history = root / f".pulumi/history/{project}/{name}"
    history.mkdir(parents=True, exist_ok=True)
    (history / f"{name}-{time[:10]}.history.json").write_text("{}")
    return path


def time_of(root, name):
    return stack.written(root / f".pulumi/stacks/shipway/{name}.json")


def test_each_stack_is_taken_from_where_it_was_written_last():
    for name, here, ours in (("staging", LATE, EARLY), ("acceptance", EARLY, LATE), ("test", LATE, None)):
        checkpoint(stack.HERE, name, here)
        if ours:
            checkpoint(stack.STATE, name, ours)
    with stack.shared_state("staging"):
        found = {name: time_of(stack.STATE, name) for name in ("staging", "acceptance", "test")}
    assert found == dict.fromkeys(found, LATE)
    assert (stack.STATE / ".pulumi/history/shipway/test/test-2026-01-02.history.json").exists()


def test_the_first_state_comes_with_what_says_its_layout():
    checkpoint(stack.HERE, "staging", EARLY)
    with stack.shared_state("staging"):
        assert (stack.STATE / ".pulumi/meta.yaml").read_text() == "version: 1\n"


def test_what_was_done_before_a_failure_is_handed_back():
    def fail():
        with stack.shared_state("staging"):
            checkpoint(stack.STATE, "staging", LATE)
            raise stack.Failed("no")

    with pytest.raises(stack.Failed):
        fail()
    assert time_of(stack.OUT / "state", "staging") == LATE


def test_a_checkpoint_that_cannot_be_read_is_older_than_any():
    checkpoint(stack.HERE, "staging", EARLY)
    checkpoint(stack.STATE, "staging", EARLY).write_text("{half")
    with stack.shared_state("staging"):
        assert time_of(stack.STATE, "staging") == EARLY


def test_only_the_stack_that_ran_is_handed_back_and_other_programs_stay_out_of_it():
    checkpoint(stack.HERE, "staging", LATE)
    checkpoint(stack.HERE, "acceptance", LATE)
    checkpoint(stack.HERE, "staging", LATE, project="another")
    with stack.shared_state("staging"):
        assert not (stack.STATE / ".pulumi/stacks/another").exists()
    back = {str(path.relative_to(stack.OUT / "state")) for path in stack.OUT.rglob("*") if path.is_file()}
    assert back == {
        ".pulumi/meta.yaml",
        ".pulumi/stacks/shipway/staging.json",
        ".pulumi/history/shipway/staging/staging-2026-01-02.history.json",
    }
