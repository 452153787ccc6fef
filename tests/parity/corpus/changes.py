"""Changesets and patches: what one directory has over another."""

import dagger

from tests.parity.world import Room, World

MERGE = dagger.ChangesetMergeConflict


def _changes(world: World):
    before = world.tree("same", "gone", "dir/gone", "dir/changed", "was/empty/")
    after = (
        before.without_file("gone")
        .without_file("dir/gone")
        .with_new_file("dir/changed", "changed\n")
        .with_new_file("new/deep", "new\n")
        .with_new_directory("bare")
    )
    return after.changes(before)


async def _stats(world: World) -> list[list[object]]:
    return [
        [await stat.path(), await stat.kind(), await stat.added_lines(), await stat.removed_lines()]
        for stat in await _changes(world).diff_stats()
    ]


async def _exported(world: World) -> list[str]:
    world.on_host({"same": "same", "gone": "gone", "dir/gone": "x", "dir/changed": "x", "untouched": "x"})
    await _changes(world).export(str(world.folder))
    return sorted(str(path.relative_to(world.folder)) for path in world.folder.rglob("*"))


PATCH = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-{}\n+new\n"


def _text(world: World, text: str = "old\n"):
    return world.directory().with_new_file("f", text)


async def _becomes(world: World) -> list[object]:
    changes = world.tree("x/y", "z").changes(world.tree("x", "z"))
    return [await changes.added_paths(), await changes.modified_paths(), await changes.removed_paths()]


TEN = "".join(f"{number}\n" for number in range(10))


def _sides(world: World, first: dict[str, str | None], second: dict[str, str | None]):
    """Two changesets of one directory, by what becomes of files; None is gone."""
    before = world.directory().with_new_file("f", "old\n").with_new_file("ten", TEN).with_new_file("g", "g\n")

    def changed(files: dict[str, str | None]):
        after = before
        for name, text in files.items():
            after = after.without_file(name) if text is None else after.with_new_file(name, text)
        return after.changes(before)

    return changed(first), changed(second)


async def _merged(
    world: World, first: dict[str, str | None], second: dict[str, str | None], **options
) -> object:
    ours, theirs = _sides(world, first, second)
    after = ours.with_changeset(theirs, **options).after()
    return {name: await after.file(name).contents() for name in await after.glob("*")}


async def _all_merged(world: World, *changes: dict[str, str | None], **options) -> object:
    first = _sides(world, {"mine": "1"}, {})[0]
    others = [_sides(world, each, {})[0] for each in changes]
    after = first.with_changesets(others, **options).after()
    return {name: await after.file(name).contents() for name in await after.glob("*")}


async def _merged_paths(world: World) -> list[object]:
    ours, theirs = _sides(world, {"a": "1", "f": None}, {"b": "2", "ten": "none"})
    merged = ours.with_changeset(theirs)
    return [await merged.added_paths(), await merged.modified_paths(), await merged.removed_paths()]


PIPELINES: Room = {
    "what is added": lambda w: _changes(w).added_paths(),
    "what is modified": lambda w: _changes(w).modified_paths(),
    "what is removed": lambda w: _changes(w).removed_paths(),
    "the layer": lambda w: _changes(w).layer().glob("**"),
    "before and after": lambda w: _changes(w).after().glob("**"),
    "whether it is empty": lambda w: _changes(w).is_empty(),
    "no change is empty": lambda w: w.tree("a").changes(w.tree("a")).is_empty(),
    "no change has no patch": lambda w: w.tree("a").changes(w.tree("a")).as_patch().contents(),
    "statistics": _stats,
    "the patch": lambda w: _changes(w).as_patch().contents(),
    "the patch's name": lambda w: _changes(w).as_patch().name(),
    "the patch of a mode": lambda w: (
        w.directory()
        .with_new_file("f", "x\n", permissions=0o755)
        .changes(w.directory().with_new_file("f", "x\n"))
        .as_patch()
        .contents()
    ),
    "the patch of a link": lambda w: (
        w.directory().with_symlink("a", "l").changes(w.directory()).as_patch().contents()
    ),
    "the patch of a rename": lambda w: (
        w.directory()
        .with_new_file("b", "one\ntwo\nthree\n")
        .changes(w.directory().with_new_file("a", "one\ntwo\nthree\n"))
        .as_patch()
        .contents()
    ),
    "the patch of a file that ends without a newline": lambda w: (
        _text(w, "new").changes(_text(w, "old")).as_patch().contents()
    ),
    "the patch of several lines": lambda w: (
        _text(w, "".join(f"{n}\n" for n in range(30)).replace("7\n", "seven\n", 1))
        .changes(_text(w, "".join(f"{n}\n" for n in range(30))))
        .as_patch()
        .contents()
    ),
    "a change is put on another": lambda w: (
        w.tree("same", "gone", "other").with_changes(_changes(w)).glob("**")
    ),
    "a change is exported": _exported,
    "a change of a mode": lambda w: (
        w.directory().with_new_file("f", "x", permissions=0o755).changes(_text(w, "x")).modified_paths()
    ),
    "a file becomes a directory": _becomes,
    "a patch is applied": lambda w: _text(w).with_patch(PATCH.format("old")).file("f").contents(),
    "a patch that does not fit": lambda w: _text(w).with_patch(PATCH.format("other")).file("f").contents(),
    "a patch of a file that is not there": lambda w: w.tree("g").with_patch(PATCH.format("old")).glob("**"),
    "no patch at all": lambda w: _text(w).with_patch("nothing of the kind").glob("**"),
    "an empty patch": lambda w: _text(w).with_patch("").glob("**"),
    "a patch that is cut off": lambda w: (
        _text(w).with_patch("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-old\n").glob("**")
    ),
    "a patch that leads outside": lambda w: (
        _text(w).with_patch("--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+new\n").glob("**")
    ),
    "a patch that makes a file": lambda w: (
        _text(w).with_patch("--- /dev/null\n+++ b/d/x\n@@ -0,0 +1 @@\n+new\n").file("d/x").contents()
    ),
    "a patch that removes a file": lambda w: (
        _text(w).with_patch("--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-old\n").glob("**")
    ),
    "a patch that sets a mode": lambda w: (
        _text(w).with_patch("diff --git a/f b/f\nold mode 100644\nnew mode 100755\n").stat("f").permissions()
    ),
    "a patch as a file": lambda w: (
        _text(w).with_patch_file(w.dag.file("p", PATCH.format("old"))).file("f").contents()
    ),
    "changes that do not conflict are merged": lambda w: _merged(w, {"a": "1"}, {"b": "2"}),
    "changes of one change are merged": lambda w: _merged(w, {"f": "x\n"}, {"f": "x\n"}),
    "changes of other lines are merged": lambda w: _merged(
        w, {"ten": TEN.replace("1", "one")}, {"ten": TEN.replace("8", "eight")}
    ),
    "changes of what is gone on both sides are merged": lambda w: _merged(w, {"g": None}, {"g": None}),
    "what merged changes are": _merged_paths,
    "changes that conflict are not merged": lambda w: _merged(w, {"f": "x\n"}, {"f": "y\n"}),
    "additions that conflict are not merged": lambda w: _merged(w, {"n": "x\n"}, {"n": "y\n"}),
    "a removal and a change are not merged": lambda w: _merged(w, {"f": None}, {"f": "y\n"}),
    "a change and a removal are not merged": lambda w: _merged(w, {"f": "x\n"}, {"f": None}),
    "changes that conflict, early": lambda w: _merged(
        w, {"f": "x\n"}, {"f": "y\n"}, on_conflict=MERGE.FAIL_EARLY
    ),
    "changes of other lines, early": lambda w: _merged(
        w, {"ten": TEN.replace("1", "one")}, {"ten": TEN.replace("8", "eight")}, on_conflict=MERGE.FAIL_EARLY
    ),
    "changes that conflict, ours": lambda w: _merged(
        w, {"f": "x\n"}, {"f": "y\n"}, on_conflict=MERGE.PREFER_OURS
    ),
    "changes that conflict, theirs": lambda w: _merged(
        w, {"f": "x\n"}, {"f": "y\n"}, on_conflict=MERGE.PREFER_THEIRS
    ),
    "a removal and a change, theirs": lambda w: _merged(
        w, {"f": None}, {"f": "y\n"}, on_conflict=MERGE.PREFER_THEIRS
    ),
    "a removal and a change, ours": lambda w: _merged(
        w, {"f": None}, {"f": "y\n"}, on_conflict=MERGE.PREFER_OURS
    ),
    "changes that conflict, marked": lambda w: _merged(
        w, {"f": "x\n"}, {"f": "y\n"}, on_conflict=MERGE.LEAVE_CONFLICT_MARKERS
    ),
    "a removal and a change, marked": lambda w: _merged(
        w, {"f": None}, {"f": "y\n"}, on_conflict=MERGE.LEAVE_CONFLICT_MARKERS
    ),
    "several changes are merged": lambda w: _all_merged(w, {"a": "1"}, {"b": "2"}, {"f": None}),
    "several changes that conflict": lambda w: _all_merged(w, {"f": "1\n"}, {"f": "2\n"}),
    "no changes": lambda w: w.dag.changeset().is_empty(),
}
