"""What is told of a step that this host could not give all that it wanted."""

import pytest

from ci.engine import sandbox
from ci.engine.graph.steps.complaints import lone_user


@pytest.fixture
def one_uid(monkeypatch):
    monkeypatch.setattr(sandbox, "enter", lambda: sandbox.Host(rootless=True, uid_range=False))


@pytest.mark.parametrize(
    "said",
    [
        "E: setgroups 65534 failed - setgroups (1: Operation not permitted)",
        "E: seteuid 42 failed - seteuid (22: Invalid argument)",
        "su: cannot set groups: Operation not permitted",
    ],
)
def test_a_step_that_wants_to_be_another_user_is_told_what_the_host_lacks(one_uid, said):
    told = lone_user(f"something\n{said}\n")
    assert told is not None
    assert "/etc/subuid" in told


def test_other_failures_are_left_alone(one_uid):
    assert lone_user("mount: Operation not permitted\nsetuid is nice\n") is None


def test_where_there_are_all_users_nothing_is_lacking(monkeypatch):
    monkeypatch.setattr(sandbox, "enter", lambda: sandbox.Host(rootless=False, uid_range=True))
    assert lone_user("setgroups (1: Operation not permitted)") is None
