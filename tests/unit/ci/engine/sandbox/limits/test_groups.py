"""Where control groups can be made, on hosts of every kind: mounts and files as the kernel shows them."""

import pytest

from ci.engine.sandbox.limits import Group, Groups, Limits
from ci.engine.sandbox.limits.groups import find, mounted


def mount(place, kind, options, top="/"):
    return f"30 29 0:26 {top} {place} rw,nosuid shared:9 - {kind} {kind} {options}\n"


@pytest.fixture
def version_2(tmp_path):
    """A host of systemd's, where a user's part of the tree is their own."""
    user = tmp_path / "user.slice/user@1000.service"
    scope = user / "app.slice/terminal.scope"
    scope.mkdir(parents=True)
    for folder in (user, user / "app.slice", scope):
        (folder / "cgroup.procs").touch()
        (folder / "cgroup.subtree_control").write_text("")
    (user / "cgroup.subtree_control").write_text("cpu memory pids\n")
    return tmp_path, user


def test_a_users_part_of_the_tree_is_where_both_controllers_are_handed_down(version_2):
    tree, user = version_2
    mounts = list(mounted(mount(tree, "cgroup2", "rw,nsdelegate")))
    found = find(mounts, "0::/user.slice/user@1000.service/app.slice/terminal.scope\n")
    assert found == Groups(user, user, 2)


def test_nothing_is_made_where_nothing_is_handed_down(version_2):
    tree, user = version_2
    (user / "cgroup.subtree_control").write_text("cpu pids\n")
    mounts = list(mounted(mount(tree, "cgroup2", "rw")))
    assert find(mounts, "0::/user.slice/user@1000.service/app.slice/terminal.scope\n") is None


def test_a_hybrid_host_has_the_controllers_in_trees_of_their_own(tmp_path):
    for name in ("pids/engine", "memory/top/engine", "unified"):
        (tmp_path / name).mkdir(parents=True)
    mounts = list(
        mounted(
            mount(tmp_path / "unified", "cgroup2", "rw")
            + mount(tmp_path / "pids", "cgroup", "rw,pids")
            + mount(tmp_path / "memory", "cgroup", "rw,memory")
        )
    )
    found = find(mounts, "4:pids:/engine\n3:memory:/top/engine\n0::/\n")
    assert found == Groups(tmp_path / "pids/engine", tmp_path / "memory/top/engine", 1)


def test_in_a_container_the_mounted_tree_begins_at_its_own_group(tmp_path):
    (tmp_path / "pids").mkdir()
    (tmp_path / "memory/inner").mkdir(parents=True)
    mounts = list(
        mounted(
            mount(tmp_path / "pids", "cgroup", "rw,pids", top="/docker/1")
            + mount(tmp_path / "memory", "cgroup", "rw,memory", top="/docker/1")
        )
    )
    found = find(mounts, "4:pids:/docker/1\n3:memory:/docker/1/inner\n")
    assert found == Groups(tmp_path / "pids", tmp_path / "memory/inner", 1)
    assert find(mounts, "4:pids:/docker/2\n3:memory:/docker/1\n") is None


def test_a_host_without_control_groups_has_none():
    assert find(list(mounted(mount("/", "ext4", "rw"))), "0::/\n") is None


def test_a_group_of_version_2_is_held_to_its_limits(tmp_path):
    (tmp_path / "memory.swap.max").touch()
    group = Group(tmp_path, tmp_path, 2)
    (tmp_path / "pids.events").write_text("max 5\n")
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    group.hold(Limits(1 << 20, 100))
    group.admit(4711)
    read = {name: (tmp_path / name).read_text() for name in ("memory.max", "memory.swap.max", "cgroup.procs")}
    assert read == {"memory.max": str(1 << 20), "memory.swap.max": "0", "cgroup.procs": "4711"}
    assert (tmp_path / "pids.max").read_text() == "102"  # and those that start it
    assert (group.refused(), group.killed()) == (0, 0)
    (tmp_path / "pids.events").write_text("max 7\n")
    (tmp_path / "memory.events").write_text("low 0\noom 4\noom_kill 3\n")
    assert (group.refused(), group.killed()) == (2, 1)
    group.hold(Limits(None, None))
    assert (tmp_path / "memory.max").read_text() == (tmp_path / "pids.max").read_text() == "max"
