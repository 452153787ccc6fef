"""Patches and changesets, as Dagger's own integration tests (changeset_test.go) have them."""

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]

GREETING = """--- a/hello.txt
+++ b/hello.txt
@@ -1 +1 @@
-Hello, World!
+Hello, Dagger!
"""


def filled(dag, **files):
    """A directory with files; __ stands for a slash, _ for a dot."""
    directory = dag.directory()
    for name, text in files.items():
        directory = directory.with_new_file(name.replace("__", "/").replace("_", "."), text)
    return directory


async def contents(directory) -> dict[str, str]:
    """Every path in a directory, with a file's contents."""
    paths = await directory.glob("**")
    return {path: "" if path.endswith("/") else await directory.file(path).contents() for path in paths}


@pytest.fixture
def old(dag):
    """A directory before it changes."""
    return filled(
        dag,
        keep_txt="keep\n",
        changed_txt="1\n2\n3\n",
        remove_txt="gone\n",
        gone__a_txt="a\nb\n",
        gone__sub__b_txt="c\n",
        node="a file",
    )


@pytest.fixture
def new(dag):
    """The same, changed."""
    changed = filled(dag, keep_txt="keep\n", changed_txt="1\ntwo\n3", made__deep__x_txt="x\n", node__y="")
    return changed.with_new_directory("empty", permissions=0o755)


async def test_a_changeset_tells_what_was_added_modified_and_removed(old, new):
    changes = new.changes(old)
    added = ["empty/", "made/", "made/deep/", "made/deep/x.txt", "node/", "node/y"]
    assert await changes.added_paths() == added
    assert await changes.modified_paths() == ["changed.txt"]
    assert await changes.removed_paths() == ["gone/", "node", "remove.txt"]
    assert await (await changes.sync()).before().digest() == await old.digest()
    assert await changes.after().digest() == await new.digest()


async def test_a_changeset_is_empty_when_no_file_differs(dag, old):
    assert await old.changes(old).is_empty()
    assert await old.with_new_directory("d").changes(old).is_empty()
    assert not await old.with_new_file("f", "").changes(old).is_empty()
    assert not await old.changes(dag.directory()).is_empty()
    assert await dag.changeset().is_empty()
    assert await old.with_new_directory("d").changes(old).added_paths() == ["d/"]


async def test_a_mode_counts_as_far_as_git_tracks_it(dag):
    def file(mode):
        return dag.directory().with_new_file("f", "", permissions=mode)

    assert await file(0o755).changes(file(0o644)).modified_paths() == ["f"]
    assert await file(0o600).changes(file(0o644)).modified_paths() == []


async def test_a_changesets_layer_is_what_was_added_or_modified(old, new):
    layer = await contents(new.changes(old).layer())
    assert sorted(layer) == [
        "changed.txt", "empty/", "made/", "made/deep/", "made/deep/x.txt", "node/", "node/y",
    ]  # fmt: skip
    assert layer["changed.txt"] == "1\ntwo\n3"


async def test_changes_are_done_to_another_directory(dag, old, new):
    other = old.with_new_file("other", "o").with_new_file("gone/new", "n")
    expected = await contents(new) | {"other": "o"}
    assert await contents(other.with_changes(new.changes(old))) == expected
    below = dag.directory().with_directory("d", other)
    assert await contents(below.directory("d").with_changes(new.changes(old))) == expected
    assert await contents(old.with_changes(dag.changeset())) == await contents(old)


async def test_the_patch_of_a_changeset_makes_the_new_of_the_old(old, new):
    patch = new.changes(old).as_patch()
    assert await patch.name() == "diff.patch"
    expected = {path: text for path, text in (await contents(new)).items() if path != "empty/"}
    assert await contents(old.with_patch_file(patch)) == expected
    assert await contents(old.with_patch(await patch.contents())) == expected


async def test_a_patch_is_written_as_git_writes_it(dag):
    before = dag.directory().with_new_file("a b", "1\n2\n3\n4\n5\n6\n7\n8\n9\n").with_new_file("old", "x")
    after = (
        dag.directory()
        .with_new_file("a b", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n")
        .with_new_file("tab\t", "", permissions=0o755)
    )
    assert await after.changes(before).as_patch().contents() == (
        "diff --git a/a b b/a b\nindex 0719398..4c5701d 100644\n--- a/a b\t\n+++ b/a b\t\n"
        "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        "diff --git a/old a/old\ndeleted file mode 100644\nindex c1b0730..0000000\n"
        "--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n"
        'diff --git "b/tab\\t" "b/tab\\t"\nnew file mode 100755\nindex 0000000..e69de29\n'
    )


async def test_binary_files_and_links_are_in_a_patch_too(dag, tmp_path):
    (tmp_path / "bin").write_bytes(bytes(range(256)) * 9)
    binary = dag.host().directory(str(tmp_path)).with_symlink("bin", "link")
    patched = dag.directory().with_patch_file(binary.changes(dag.directory()).as_patch())
    made, original = patched.file("bin"), binary.file("bin")
    assert await made.digest(exclude_metadata=True) == await original.digest(exclude_metadata=True)
    assert await patched.exists("link", expected_type=dagger.ExistsType.SYMLINK_TYPE)
    assert await binary.with_patch_file(dag.directory().changes(binary).as_patch()).entries() == []


async def test_diff_stats_count_lines_and_find_renames(dag, old, new):
    async def stats(changes):
        return [
            (
                await s.path(),
                (await s.kind()).value,
                await s.added_lines(),
                await s.removed_lines(),
                await s.old_path(),
            )
            for s in await changes.diff_stats()
        ]  # fmt: skip

    assert await stats(new.changes(old)) == [
        ("changed.txt", "MODIFIED", 2, 2, None),
        ("empty/", "ADDED", 0, 0, None),
        ("gone/", "REMOVED", 0, 0, None),
        ("gone/a.txt", "REMOVED", 0, 2, None),
        ("gone/sub/", "REMOVED", 0, 0, None),
        ("gone/sub/b.txt", "REMOVED", 0, 1, None),
        ("made/", "ADDED", 0, 0, None),
        ("made/deep/", "ADDED", 0, 0, None),
        ("made/deep/x.txt", "ADDED", 1, 0, None),
        ("node", "REMOVED", 0, 1, None),
        ("node/", "ADDED", 0, 0, None),
        ("node/y", "ADDED", 0, 0, None),
        ("remove.txt", "REMOVED", 0, 1, None),
    ]
    text = "".join(f"line {number}\n" for number in range(10))
    before, after = filled(dag, old=text, same="s"), filled(dag, new=text + "more\n", same="s")
    assert await stats(after.changes(before)) == [("new", "RENAMED", 1, 0, "old")]


async def test_a_changeset_is_done_to_the_host(dag, old, new, tmp_path):
    await old.export(str(tmp_path))
    (tmp_path / "mine").write_text("mine")
    assert await new.changes(old).export(str(tmp_path)) == str(tmp_path)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    expected = [path.rstrip("/") for path in await contents(new)] + ["mine"]
    assert found == sorted(expected)


async def test_a_patch_changes_adds_and_deletes_files(dag):
    tree = filled(dag, hello_txt="Hello, World!\n", gone="x\n")
    patch = (
        GREETING
        + "--- /dev/null\n+++ b/d/new\n@@ -0,0 +1 @@\n+n\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    )
    made = {"hello.txt": "Hello, Dagger!\n", "d/": "", "d/new": "n\n"}
    assert await contents(tree.with_patch(patch)) == made
    below = dag.directory().with_directory("sub", tree).directory("sub")
    assert await contents(below.with_patch(patch)) == made
    assert await contents(tree.with_patch("")) == await contents(tree)


async def test_a_patch_fits_where_its_lines_have_moved(dag):
    moved = filled(dag, hello_txt="new\nnew\na\nb\nc\nHello, World!\nd\ne\nf\n")
    hunk = "@@ -2,5 +2,5 @@ somewhere\n b\n c\n-Hello, World!\n+Hello, Dagger!\n d\n e\n"
    patched = moved.with_patch(f"--- a/hello.txt\n+++ b/hello.txt\n{hunk}")
    assert "c\nHello, Dagger!\nd\n" in await patched.file("hello.txt").contents()


async def test_a_patch_renames_and_sets_modes(dag):
    patch = (
        "diff --git a/old b/sub/new\nsimilarity index 100%\nrename from old\nrename to sub/new\n"
        "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
    )
    made = filled(dag, old="text", run="").with_patch(patch)
    assert await contents(made) == {"sub/": "", "sub/new": "text", "run": ""}
    assert await made.stat("run").permissions() == 0o777


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        (GREETING.replace("World", "Moon"), "hello.txt: patch does not apply"),
        (GREETING.replace("hello.txt", "nope"), "nope: No such file or directory"),
        (GREETING.replace("a/hello.txt", "/dev/null"), "hello.txt: already exists"),
        (GREETING.replace("b/hello.txt", "b/../x"), "invalid path '../x'"),
        (GREETING.replace("+Hello, Dagger!\n", ""), "corrupt patch"),
        ("--- a/hello.txt\n+++ b/hello.txt\n@@ -1,2 +1,2 @@\n Hello, World!\n-x\n+y\n", "does not apply"),
    ],
)
async def test_a_patch_that_does_not_fit_is_refused_whole(dag, patch, reason):
    tree = filled(dag, hello_txt="Hello, World!\n")
    with pytest.raises(dagger.QueryError, match="git apply: ") as problem:
        await tree.with_patch(patch).sync()
    assert reason in str(problem.value)


async def test_what_is_no_patch_changes_nothing(dag):
    assert await filled(dag, hello_txt="Hello\n").with_patch("no patch at all").glob("**") == ["hello.txt"]


async def test_changes_of_both_sides_are_merged_line_by_line(dag):
    lines = [f"{number}\n" for number in range(9)]
    before = filled(dag, f="".join(lines), gone="x")
    ours = before.with_new_file("f", "".join(["first\n", *lines[1:]])).with_new_file("mine", "")
    theirs = before.with_new_file("f", "".join([*lines[:-1], "last\n"])).without_file("gone")
    merged = ours.changes(before).with_changeset(theirs.changes(before))
    assert await contents(merged.after()) == {"f": "".join(["first\n", *lines[1:-1], "last\n"]), "mine": ""}
    assert await merged.removed_paths() == ["gone"]


@pytest.mark.parametrize(
    ("strategy", "result"),
    [
        ("PREFER_OURS", "a\nours\nz\n"),
        ("PREFER_THEIRS", "a\ntheirs\nz\n"),
        ("LEAVE_CONFLICT_MARKERS", "a\n<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> theirs\nz\n"),
    ],
)
async def test_a_conflict_is_settled_as_asked(dag, strategy, result):
    before = filled(dag, f="a\nold\nz\n")
    ours, theirs = (
        before.with_new_file("f", f"a\n{side}\nz\n").changes(before) for side in ("ours", "theirs")
    )
    merged = ours.with_changeset(theirs, on_conflict=dagger.ChangesetMergeConflict[strategy])
    assert await merged.after().file("f").contents() == result
    with pytest.raises(dagger.QueryError, match=r"CONFLICT \(content\): Merge conflict in f"):
        await ours.with_changeset(theirs).sync()
