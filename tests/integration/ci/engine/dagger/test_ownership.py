"""Who owns what is put into a container, as Dagger's own tests (ownership_test.go) have it."""

import uuid

import pytest


@pytest.fixture(scope="session")
def peopled(base):
    """A container with two users and a group, run as neither root nor the owner-to-be."""
    adding = "useradd inherituser && useradd -u 1234 auser && groupadd -g 4321 agroup"
    return base.with_exec(["sh", "-c", adding]).with_user("inherituser").with_workdir("/data")


def put(how: str, container, dag, owner: str):
    whole = dag.directory().with_new_file("sub/message", "hello", permissions=0o600)
    file = whole.file("sub/message")
    secret = dag.set_secret("owned", "hunter2")
    cache = dag.cache_volume(uuid.uuid4().hex)
    return {
        "mounted file": lambda: container.with_mounted_file("x", file, owner=owner),
        "mounted directory": lambda: container.with_mounted_directory("x", whole, owner=owner),
        "mounted part": lambda: container.with_mounted_directory("x", whole.directory("sub"), owner=owner),
        "mounted cache": lambda: container.with_mounted_cache("x", cache, owner=owner),
        "mounted cache with content": lambda: container.with_mounted_cache(
            "x", cache, source=whole, owner=owner
        ),
        "mounted secret": lambda: container.with_mounted_secret("x", secret, owner=owner),
        "file": lambda: container.with_file("x", file, owner=owner),
        "files": lambda: container.with_files("x", [file], owner=owner),
        "directory": lambda: container.with_directory("x", whole, owner=owner),
        "new file": lambda: container.with_new_file("x", "", owner=owner),
    }[how]()


@pytest.mark.parametrize(
    "how",
    [
        "mounted file",
        "mounted directory",
        "mounted part",
        "mounted cache",
        "mounted cache with content",
        "mounted secret",
        "file",
        "files",
        "directory",
        "new file",
    ],
)
async def test_the_owner_is_the_one_that_is_named_and_otherwise_root(peopled, dag, how):
    cases = {
        "1234": "auser auser",
        "1234:1234": "auser auser",
        "auser": "auser auser",
        "auser:auser": "auser auser",
        "1234:4321": "auser agroup",
        "auser:4321": "auser agroup",
        "1234:agroup": "auser agroup",
        "auser:agroup": "auser agroup",
        "": "root root",
    }
    for owner, seen in cases.items():
        container = put(how, peopled, dag, owner).with_user("root")
        listed = await container.with_exec(["sh", "-c", "find x* | xargs stat -c '%U %G'"]).stdout()
        lines = listed.splitlines()
        # Dagger leaves the directory that it makes for the files to root.
        assert set(lines[1:] if how == "files" else lines) == {seen}, (how, owner)


async def test_modes_are_kept_when_the_owner_changes(peopled, dag):
    whole = (
        dag.directory().with_new_directory("d", permissions=0o745).with_new_file("d/f", "", permissions=0o645)
    )
    for container in (
        peopled.with_mounted_directory("/x", whole, owner="auser:agroup"),
        peopled.with_mounted_cache(
            "/x", dag.cache_volume(uuid.uuid4().hex), source=whole, owner="auser:agroup"
        ),
    ):
        listed = await container.with_exec(["stat", "-c", "%a:%U:%G", "/x/d", "/x/d/f"]).stdout()
        assert listed == "745:auser:agroup\n645:auser:agroup\n"


async def test_an_empty_cache_volume_is_a_directory_of_its_owner(peopled, dag):
    container = peopled.with_mounted_cache("/c", dag.cache_volume(uuid.uuid4().hex), owner="auser:agroup")
    assert await container.with_exec(["stat", "-c", "%a:%U:%G", "/c"]).stdout() == "755:auser:agroup\n"
