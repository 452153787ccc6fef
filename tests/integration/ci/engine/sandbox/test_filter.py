"""A step's system calls are those of a container of Docker's; a step with every capability has them all."""

import pytest


@pytest.mark.parametrize("command", ["unshare --user true", "unshare --mount true", "mount -t tmpfs x /var"])
def test_a_step_makes_no_namespaces_and_no_mounts(engine, command):
    outcome = engine.shell(command)
    assert outcome.exit_code != 0
    assert b"not permitted" in outcome.stderr or b"permission denied" in outcome.stderr


def test_a_step_with_every_capability_may(engine):
    assert engine.text("unshare --mount mount -t tmpfs x /var && echo yes", privileged=True) == "yes"


def test_a_step_can_not_gain_rights_by_a_set_user_id_program(engine):
    assert engine.text("grep NoNewPrivs /proc/self/status").split() == ["NoNewPrivs:", "1"]
