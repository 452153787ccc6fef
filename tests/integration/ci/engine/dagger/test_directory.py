"""Directory, as Dagger's own integration tests (core/integration/directory_test.go) have it."""

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]


async def refused(awaitable) -> str:
    """The message that something asked for is refused with."""
    with pytest.raises(dagger.QueryError) as problem:
        await awaitable
    return str(problem.value)


async def test_an_empty_directory_has_no_entries(dag):
    assert await dag.directory().entries() == []


async def test_entries_are_sorted_and_directories_have_a_slash(dag):
    directory = dag.directory().with_new_file("some-file", "").with_new_file("some-dir/sub-file", "")
    assert await directory.entries() == ["some-dir/", "some-file"]
    assert await directory.entries(path="some-dir") == ["sub-file"]
    assert await directory.directory("some-dir").entries() == ["sub-file"]


async def test_entries_of_what_is_not_there_are_an_error_that_names_it(dag):
    assert "nope: no such file or directory" in await refused(dag.directory().entries(path="nope"))
    assert "/nope: no such" in await refused(
        dag.directory().with_new_directory("a").directory("/nope").entries()
    )
    as_file = dag.directory().with_new_file("f", "")
    assert "is a file, not a directory" in await refused(as_file.directory("f").entries())
    assert "is a directory, not a file" in await refused(
        dag.directory().with_new_directory("d").file("d").size()
    )


async def test_what_is_not_there_is_missed_only_when_it_is_used(dag):
    assert await dag.directory().directory("nope").id()
    assert await dag.directory().with_directory("x", dag.directory().directory("nope")).id()
    assert "stat nope: no such file" in await refused(dag.directory().directory("nope").sync())


async def test_an_error_shows_the_path_as_it_was_written(dag):
    assert "keep/../this: no such file" in await refused(dag.directory().directory("keep/../this").name())


async def test_a_directorys_name_is_its_last_part(dag):
    directory = dag.directory().with_new_directory("very/nested", permissions=0o755)
    assert await directory.name() == "/"
    assert await directory.directory("very/nested").name() == "nested/"


async def test_a_directory_is_copied_where_it_is_told_and_only_it(dag):
    source = dag.directory().with_new_file("some-file", "").with_new_file("some-dir/sub-file", "")
    inner = source.directory("some-dir")
    assert await dag.directory().with_directory("a/b", inner).entries(path="a/b") == ["sub-file"]
    assert await dag.directory().with_directory(".", inner).entries() == ["sub-file"]
    assert await dag.directory().with_directory("/", dag.directory()).entries() == []


async def test_copies_pile_up_and_the_last_one_wins(dag):
    base = dag.directory().with_new_file("keep", "base").with_new_file("both", "base")
    first = dag.directory().with_new_file("a", "a").with_new_file("both", "a").with_new_file("skip", "")
    second = dag.directory().with_new_file("both", "c")
    made = base.with_directory("/", first, exclude=["skip"]).with_directory("/", second)
    assert await made.entries() == ["a", "both", "keep"]
    assert await made.file("both").contents() == "c"


async def test_a_directory_takes_a_files_place_and_a_file_a_directorys(dag):
    file = dag.directory().with_new_file("node", "file")
    tree = dag.directory().with_new_file("new", "")
    assert await file.with_directory("node", tree).directory("node").entries() == ["new"]
    as_directory = dag.directory().with_new_file("node/old", "")
    assert await as_directory.with_directory("/", file).entries() == ["node"]
    assert await as_directory.with_directory("/", file).file("node").contents() == "file"


async def test_a_copy_onto_a_link_to_a_directory_goes_through_the_link(dag):
    base = dag.directory().with_new_file("usr/lib/old", "").with_symlink("usr/lib", "lib")
    made = base.with_directory("/", dag.directory().with_new_file("lib/new", "x"))
    assert await made.directory("usr/lib").entries() == ["new", "old"]
    assert await made.exists("lib", expected_type=dagger.ExistsType.SYMLINK_TYPE)


async def test_permissions_of_a_copy_are_for_all_that_is_copied(dag):
    source = (
        dag.directory()
        .with_new_directory("nested", permissions=0o700)
        .with_new_file("nested/file", "", permissions=0o600)
    )
    made = dag.directory().with_directory("out", source, permissions=0o751)
    found = [await made.stat(path).permissions() for path in ("out", "out/nested", "out/nested/file")]
    assert found == [0o751, 0o751, 0o751]


async def test_a_copy_keeps_modes_and_what_was_there_keeps_its_own(dag):
    source = dag.directory().with_new_file("f", "", permissions=0o444)
    base = dag.directory().with_new_directory("d", permissions=0o700)
    made = base.with_directory("d", source)
    assert await made.stat("d").permissions() == 0o700
    assert await made.stat("d/f").permissions() == 0o444


async def test_a_new_directory_has_the_mode_it_is_given_and_so_have_its_parents(dag):
    made = dag.directory().with_new_directory("a/b", permissions=0o750)
    assert [await made.stat(path).permissions() for path in ("a", "a/b")] == [0o750, 0o750]
    assert await dag.directory().with_new_directory("d").stat("d").permissions() == 0o644
    assert await made.with_new_directory("a", permissions=0o700).stat("a").permissions() == 0o750


async def test_a_new_directory_stays_inside(dag):
    base = dag.directory().with_new_directory("b", permissions=0o755).directory("b")
    assert "cannot create directory outside parent" in await refused(base.with_new_directory("../c").sync())


async def test_a_new_file_has_the_mode_it_is_given(dag):
    made = dag.directory().with_new_file("x", "", permissions=0o777).with_new_file("y", "")
    assert [await made.stat(path).permissions() for path in ("x", "y")] == [0o777, 0o644]


async def test_a_file_that_is_written_over_keeps_its_mode(dag):
    made = (
        dag.directory().with_new_file("x", "1", permissions=0o600).with_new_file("x", "2", permissions=0o755)
    )
    assert await made.file("x").contents() == "2"
    assert await made.stat("x").permissions() == 0o600


async def test_a_name_that_is_too_long_is_refused(dag):
    message = await refused(dag.directory().with_new_file("x" * 256, "").sync())
    assert "File name length exceeds the maximum supported 255 characters" in message


@pytest.mark.parametrize("path", [".", "", "/", "sub/"])
async def test_a_file_goes_into_a_directory_under_its_own_name(dag, path):
    file = dag.directory().with_new_file("deep/down/some-file", "data").file("deep/down/some-file")
    made = dag.directory().with_file(path, file)
    assert await made.file(f"{path}/some-file".lstrip("/")).contents() == "data"


async def test_a_file_is_put_where_it_is_told_in_place_of_a_link(dag):
    file = dag.directory().with_new_file("f", "new").file("f")
    base = dag.directory().with_new_file("target", "old").with_symlink("target", "link")
    made = base.with_file("link", file)
    assert await made.file("target").contents() == "old"
    assert await made.file("link").contents() == "new"
    assert await dag.directory().with_file("a/b", file, permissions=0o600).stat("a/b").permissions() == 0o600


@pytest.mark.parametrize("path", ["/", "/a/b", "/a/b/"])
async def test_files_are_put_in_a_directory(dag, path):
    files = [dag.file("first", "1"), dag.file("second", "2")]
    made = dag.directory().with_files(path, files).directory(path)
    assert await made.entries() == ["first", "second"]
    assert await made.file("second").contents() == "2"


async def test_an_edit_of_a_sub_directory_is_seen_from_there(dag):
    base = (
        dag.directory().with_new_file("top", "").with_new_directory("dir", permissions=0o755).directory("dir")
    )
    made = base.with_file("f", dag.file("x", "data")).with_symlink("f", "link")
    assert await made.entries() == ["f", "link"]
    assert "no such file" in await refused(made.file("top").contents())
    assert await made.without_file("f").entries() == ["link"]


@pytest.fixture
def tree(dag):
    """A tree to take things from."""
    made = dag.directory()
    for path in ("foo.txt", "a1/f", "a2/f", "b/bar.txt", "b/foo.txt", "b/data.json", "b/deep/x.txt"):
        made = made.with_new_file(path, path)
    return made


@pytest.mark.parametrize(
    ("field", "path", "where", "left"),
    [
        ("without_directory", "a1", ".", ["a2/", "b/", "foo.txt"]),
        ("without_directory", "non-existent", ".", ["a1/", "a2/", "b/", "foo.txt"]),
        ("without_directory", "a*", ".", ["b/", "foo.txt"]),
        ("without_file", "b/*.txt", "b", ["data.json", "deep/"]),
        ("without_file", "/b/*oo*", "b", ["bar.txt", "data.json", "deep/"]),
        ("without_file", "foo.txt", ".", ["a1/", "a2/", "b/"]),
        ("without_file", "*/foo.txt", "b", ["bar.txt", "data.json", "deep/"]),
        ("without_file", "foo.tx?", ".", ["a1/", "a2/", "b/", "foo.txt"]),
    ],
)
async def test_what_is_taken_away_is_gone(tree, field, path, where, left):
    assert await getattr(tree, field)(path).entries(path=where) == left


async def test_several_files_are_taken_away_and_a_link_alone(dag, tree):
    assert await tree.without_files(["foo.txt", "b/bar.txt"]).entries() == ["a1/", "a2/", "b/"]
    linked = dag.directory().with_new_file("f", "").with_symlink("f", "l").without_file("l")
    assert await linked.entries() == ["f"]


async def test_a_diff_is_what_the_other_one_adds_or_changes(dag):
    a = dag.directory().with_new_file("a", "1").with_new_file("same", "s").with_new_file("d/x", "1")
    b = dag.directory().with_new_file("b", "1").with_new_file("same", "s").with_new_file("d/x", "2")
    assert await a.diff(b).entries() == ["b", "d/"]
    assert await b.diff(a).entries() == ["a", "d/"]
    assert await a.diff(dag.directory().with_directory("", a)).entries() == []
    assert await dag.directory().diff(a).glob("**") == ["a", "d/", "d/x", "same"]


async def test_a_diff_of_sub_directories_is_theirs_alone(dag):
    tree = (
        dag.directory().with_new_file("sub/1", "").with_new_file("marine/1", "").with_new_file("marine/2", "")
    )
    assert await tree.directory("sub").diff(tree.directory("marine")).entries() == ["2"]


async def test_a_link_points_where_it_is_told(dag):
    tree = dag.directory().with_new_file("some-file", "data").with_symlink("some-file", "link")
    assert await tree.file("link").contents() == "data"
    assert await tree.with_new_file("some-file", "new").file("link").contents() == "new"
    assert await tree.with_new_file("link", "through").file("some-file").contents() == "through"
    absolute = dag.directory().with_new_file("f", "data").with_symlink("/f", "/deep/down/link")
    assert await absolute.file("deep/down/link").contents() == "data"


async def test_a_link_is_followed_from_the_top_of_the_tree_it_is_in_now(dag):
    inner = dag.directory().with_new_file("f", "inner").with_symlink("/f", "link")
    outer = dag.directory().with_new_file("f", "outer").with_directory("sub", inner)
    assert await outer.file("sub/link").contents() == "outer"


async def test_a_link_is_not_put_over_what_is_there(dag):
    twice = dag.directory().with_symlink("target", "link").with_symlink("new", "link")
    assert "symlink new /link: file exists" in await refused(twice.sync())


async def test_links_in_a_circle_are_an_error(dag):
    circle = dag.directory().with_symlink("b", "a").with_symlink("a", "b")
    assert "too many levels of symbolic links" in await refused(circle.file("a").contents())


@pytest.mark.parametrize(
    ("path", "kind", "follow", "expected"),
    [
        ("nothing here", None, True, False),
        ("", None, True, False),
        ("quotes", None, True, True),
        ("quotes", "DIRECTORY_TYPE", True, True),
        ("quotes/descartes", "DIRECTORY_TYPE", True, False),
        ("quotes/descartes", "REGULAR_TYPE", True, True),
        ("quotes", "REGULAR_TYPE", True, False),
        ("i-am", "SYMLINK_TYPE", True, True),
        ("i-am", "REGULAR_TYPE", True, True),
        ("i-am", "REGULAR_TYPE", False, False),
        ("dangling", None, True, False),
        ("dangling", None, False, True),
    ],
)
async def test_what_exists(dag, path, kind, follow, expected):
    tree = (
        dag.directory()
        .with_new_file("quotes/descartes", "Cogito, ergo sum")
        .with_symlink("quotes/descartes", "i-am")
        .with_symlink("quotes/nowhere", "dangling")
    )
    wanted = {} if kind is None else {"expected_type": dagger.ExistsType[kind]}
    assert await tree.exists(path, do_not_follow_symlinks=not follow, **wanted) is expected


async def test_a_stat_tells_name_size_type_and_permissions(dag):
    tree = (
        dag.directory()
        .with_new_file("f", "data", permissions=0o444)
        .with_new_directory("d", permissions=0o750)
        .with_symlink("f", "link")
    )

    async def seen(stat):
        return await stat.name(), await stat.size(), (await stat.file_type()).value, await stat.permissions()

    assert await seen(tree.stat("f")) == ("f", 4, "REGULAR", 0o444)
    assert await seen(tree.stat("d")) == ("d", 4096, "DIRECTORY", 0o750)
    assert await seen(tree.stat("link")) == ("f", 4, "REGULAR", 0o444)
    assert await seen(tree.stat("link", do_not_follow_symlinks=True)) == ("link", 1, "SYMLINK", 0o777)
    assert "stat : no such file or directory" in await refused(tree.stat("").size())
    assert "stat nope: no such file" in await refused(tree.stat("nope").size())


async def test_the_nearest_file_of_a_name_is_found_upwards(dag):
    tree = dag.directory()
    for path in ("root.txt", "target.txt", "a/target.txt", "a/dir/hi", "a/b/other.txt", "a/b/c/leaf.txt"):
        tree = tree.with_new_file(path, path)
    names = ("other.txt", "target.txt", "root.txt", "dir", "leaf.txt", "nonexistent")
    found = [await tree.find_up(name, "a/b") for name in names]
    assert [each or "" for each in found] == ["a/b/other.txt", "a/target.txt", "root.txt", "a/dir", "", ""]
    assert "cannot search outside parent" in await refused(tree.find_up("x", "../y"))
    assert "name cannot be empty" in await refused(tree.find_up("", "a"))


async def test_a_digest_is_what_dagger_computes(dag):
    scratch = "sha256:0e5db88383bce812f795689f5318a2b2f4fde740ef31c2a2365a46368aafddd2"
    greeting = "sha256:48ac4b4b73af8a75a3c77e9dc6211d89321c6ed4f13c6987c6837ac58645bd89"
    assert await dag.directory().digest() == scratch
    assert await dag.directory().with_new_file("/foo.txt", "Hello, World!").digest() == greeting


async def test_a_digest_is_of_what_is_in_it_and_not_of_its_place_or_time(dag):
    base = dag.directory().with_new_file("a/f", "x").with_new_file("b/f", "x").with_new_file("c/f", "y")
    digests = [await base.directory(name).digest() for name in "abc"]
    assert digests[0] == digests[1] != digests[2]
    assert await base.with_timestamps(1).directory("a").digest() == digests[0]
    assert await base.with_new_file("b/g", "").directory("b").digest() != digests[1]


async def test_an_owner_may_be_a_number(dag):
    assert await dag.directory().with_new_directory("dir").chown("dir", "555:556").entries() == ["dir/"]
    owned = dag.directory().with_new_file("f", "").chown("f", "555")
    same = dag.directory().with_file("f", dag.file("f", ""), owner="555:555")
    assert (
        await owned.digest() == await same.digest() != await dag.directory().with_new_file("f", "").digest()
    )


async def test_an_owner_may_be_a_name_that_the_directory_itself_knows(dag):
    root = (
        dag.directory()
        .with_new_file("etc/passwd", "auser:x:1234:9:::/bin/sh\n")
        .with_new_file("etc/group", "agroup:x:4321:\n")
        .with_new_file("dir/f", "")
    )
    named = root.chown("dir", "auser:agroup").directory("dir")
    assert await named.digest() == await root.chown("dir", "1234:4321").directory("dir").digest()
    assert "failed to parse ownership nobody" in await refused(root.chown("dir", "nobody").sync())


async def test_an_error_can_be_raised_or_not(dag):
    assert "out of order" in await refused(dag.directory().with_error("out of order").entries())
    assert await dag.directory().with_new_file("f", "").with_error("").entries() == ["f"]


async def test_an_export_is_merged_with_what_is_there_unless_it_is_wiped(dag, workdir, tmp_path):
    tree = dag.directory().with_new_file("a/f", "1", permissions=0o754).with_symlink("a/f", "link")
    (tmp_path / "old").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "stale").touch()
    assert await tree.export(str(tmp_path)) == str(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "f", "link", "old", "stale"]
    assert (tmp_path / "a/f").stat().st_mode & 0o777 == 0o754
    assert (tmp_path / "link").readlink().as_posix() == "a/f"
    await tree.export(str(tmp_path), wipe=True)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "f", "link"]


async def test_an_export_goes_to_the_clients_working_directory_and_out_of_it(dag, workdir):
    tree = dag.directory().with_new_file("exported", "x").with_timestamps(500_000_000)
    assert await tree.export("out/of") == str(workdir / "out/of")
    assert (workdir / "out/of/exported").stat().st_mtime == 500_000_000
    assert (workdir / "out").stat().st_mode & 0o777 == 0o700
    assert await tree.export("out/../../beside") == str(workdir.parent / "beside")
    assert (workdir.parent / "beside" / "exported").read_text() == "x"


async def test_an_export_that_cannot_be_written_names_the_place(dag, tmp_path):
    (tmp_path / "file").touch()
    message = await refused(dag.directory().with_new_file("f", "").export(str(tmp_path / "file/inside")))
    assert f"export to {tmp_path}/file" in message
