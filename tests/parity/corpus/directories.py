"""Directories: what is in them, and what comes of adding, removing, copying and comparing."""

from tests.parity.world import Room, World


async def _stat(world: World, path: str, **arguments: bool) -> list[object]:
    made = (
        world.tree("dir/file")
        .with_symlink("dir/file", "link")
        .with_new_file("run", "#!/bin/sh\n", permissions=0o751)
    )
    found = made.stat(path, **arguments)
    return [await found.name(), await found.size(), await found.permissions(), await found.file_type()]


async def _same(world: World) -> bool:
    one, other = world.tree("a", "b/c"), world.tree("b/c", "a", "d").without_file("d")
    return await one.digest() == await other.digest()


async def _differs(world: World) -> bool:
    one = world.directory().with_new_file("a", "", permissions=0o600)
    return await one.digest() != await world.directory().with_new_file("a", "").digest()


async def _owner(world: World, owner: str) -> str:
    owned = world.base.with_directory("/owned", world.tree("d/f").chown("d", owner))
    return await world.shell("stat -c '%u:%g %n' /owned /owned/d /owned/d/f", owned)


PIPELINES: Room = {
    "an empty directory has no entries": lambda w: w.directory().entries(),
    "entries have a slash behind directories": lambda w: w.tree("b", "a/x", "c/").entries(),
    "entries of a path": lambda w: w.tree("a/x", "a/y/z").entries(path="a"),
    "entries of a path that is not there": lambda w: w.tree("a/x").entries(path="b"),
    "entries of a file": lambda w: w.tree("a/x").entries(path="a/x"),
    "entries of a path outside": lambda w: w.tree("a/x").entries(path="../a"),
    "entries of a link to a directory": lambda w: w.tree("a/x").with_symlink("a", "l").entries(path="l"),
    "a link is an entry without a slash": lambda w: w.tree("a/x").with_symlink("a", "l").entries(),
    "a directory that is not there": lambda w: w.tree("a/x").directory("b").entries(),
    "a directory that is not there is synced": lambda w: w.tree("a/x").directory("b").sync(),
    "a directory that is a file": lambda w: w.tree("a/x").directory("a/x").entries(),
    "a file that is not there": lambda w: w.tree("a/x").file("a/nope").contents(),
    "a file below a file": lambda w: w.tree("a/x").file("a/x/y").contents(),
    "a file that is a directory": lambda w: w.tree("a/x").file("a").contents(),
    "a file in a directory that is not there": lambda w: w.tree("a/x").directory("b/c").file("d").contents(),
    "the name of a directory": lambda w: w.tree("a/b/x").directory("a/b").name(),
    "the name of the root": lambda w: w.tree("a/b/x").name(),
    "the name of a directory with a trailing slash": lambda w: w.tree("a/b/x").directory("a/b/").name(),
    "a new file makes its parents": lambda w: w.directory().with_new_file("a/b/c", "x").glob("**"),
    "a new file over a directory": lambda w: w.tree("a/x").with_new_file("a", "x").glob("**"),
    "a new file below a file": lambda w: w.tree("a").with_new_file("a/x", "x").glob("**"),
    "a new file outside": lambda w: w.directory().with_new_file("../a", "x").entries(),
    "a new file with an empty name": lambda w: w.directory().with_new_file("", "x").entries(),
    "a new file with a long name": lambda w: w.directory().with_new_file("a" * 256, "x").entries(),
    "a new file at an absolute path": lambda w: w.directory().with_new_file("/a/b", "x").glob("**"),
    "a new directory where a file is": lambda w: w.tree("a").with_new_directory("a").entries(),
    "a new directory outside": lambda w: w.directory().with_new_directory("../a").entries(),
    "a directory without a path that is not there": lambda w: w.tree("a/x").without_directory("b").glob("**"),
    "a directory without the files of a pattern": lambda w: (
        w.tree("a/x", "a/y.c", "z.c").without_file("*.c").glob("**")
    ),
    "a directory without a directory": lambda w: w.tree("a/x", "b/y").without_directory("a").glob("**"),
    "a file is removed as a directory": lambda w: w.tree("a/x", "b").without_directory("b").glob("**"),
    "a directory is removed as a file": lambda w: w.tree("a/x", "b").without_file("a").glob("**"),
    "several files are removed": lambda w: w.tree("a/x", "b", "c").without_files(["b", "a/x"]).glob("**"),
    "a directory is copied into another": lambda w: (
        w.tree("a/x").with_directory("b/c", w.tree("y/z")).glob("**")
    ),
    "a copy is merged": lambda w: (
        w.tree("a/x", "a/y").with_directory("a", w.tree("x", "z")).file("a/x").contents()
    ),
    "a directory is copied over a file": lambda w: w.tree("a").with_directory("a", w.tree("x")).glob("**"),
    "a file is copied over a directory": lambda w: (
        w.tree("a/x").with_file("a", w.tree("f").file("f")).glob("**")
    ),
    "a file is copied into a name with a slash": lambda w: (
        w.directory().with_file("b/", w.tree("f").file("f")).glob("**")
    ),
    "files are copied by their names": lambda w: (
        w.directory().with_files("d", [w.tree("f").file("f"), w.tree("a/g").file("a/g")]).glob("**")
    ),
    "a file keeps its mode when it is copied": lambda w: (
        w.directory()
        .with_file("x", w.directory().with_new_file("f", "", permissions=0o640).file("f"))
        .stat("x")
        .permissions()
    ),
    "a file is given a mode when it is copied": lambda w: (
        w.directory().with_file("x", w.tree("f").file("f"), permissions=0o600).stat("x").permissions()
    ),
    "a new file's mode": lambda w: w.tree("f").stat("f").permissions(),
    "a new directory's mode": lambda w: w.tree("d/").stat("d").permissions(),
    "the mode of a parent made on the way": lambda w: w.tree("d/f").stat("d").permissions(),
    "a new directory's mode as asked": lambda w: (
        w.directory().with_new_directory("d", permissions=0o700).stat("d").permissions()
    ),
    "a mode with the sticky bit": lambda w: (
        w.directory().with_new_directory("d", permissions=0o1777).stat("d").permissions()
    ),
    "the stat of a file": lambda w: _stat(w, "dir/file"),
    "the stat of a program": lambda w: _stat(w, "run"),
    "the stat of a directory": lambda w: _stat(w, "dir"),
    "the stat of the root": lambda w: _stat(w, "."),
    "the stat of the root by a slash": lambda w: _stat(w, "/"),
    "the stat of a link": lambda w: _stat(w, "link"),
    "the stat of a link itself": lambda w: _stat(w, "link", do_not_follow_symlinks=True),
    "the stat of nothing": lambda w: _stat(w, "nope"),
    "the stat of an empty path": lambda w: _stat(w, ""),
    "the stat below a file": lambda w: _stat(w, "dir/file/x"),
    "what exists below a file": lambda w: w.tree("a").exists("a/b"),
    "what exists outside": lambda w: w.tree("a").exists("../a"),
    "what exists at an empty path": lambda w: w.tree("a").exists(""),
    "a difference is what is new": lambda w: w.tree("a").diff(w.tree("a", "b/c")).glob("**"),
    "a difference has what changed": lambda w: (
        w.tree("a").diff(w.directory().with_new_file("a", "new")).glob("**")
    ),
    "a difference with what is the same, made anew": lambda w: (
        w.tree("a", "b").diff(w.tree("b").with_new_file("c", "")).glob("**")
    ),
    "a difference of one directory made twice": lambda w: (
        w.tree("a", "d/b").diff(w.tree("d/b", "a")).glob("**")
    ),
    "a difference of a changed mode": lambda w: (
        w.tree("a").diff(w.directory().with_new_file("a", "a", permissions=0o755)).glob("**")
    ),
    "a difference of sub-directories": lambda w: (
        w.tree("a/x", "a/y").directory("a").diff(w.tree("b/x", "b/z").directory("b")).glob("**")
    ),
    "a difference of what is removed": lambda w: w.tree("a", "b").diff(w.tree("a")).glob("**"),
    "a digest does not know how it was made": _same,
    "a digest knows modes": _differs,
    "the digest of a directory": lambda w: w.tree("a/x", "b").digest(),
    "the digest of a sub-directory": lambda w: w.tree("a/x", "b").directory("a").digest(),
    "the digest of an empty directory": lambda w: w.directory().digest(),
    "found above": lambda w: w.tree("a/f", "a/b/c/x").find_up("f", "a/b/c"),
    "found nowhere": lambda w: w.tree("a/f", "a/b/c/x").find_up("g", "a/b/c"),
    "found from where nothing is": lambda w: w.tree("a/f").find_up("f", "a/q"),
    "an error put on a directory": lambda w: w.tree("a").with_error("went wrong").entries(),
    "no error put on a directory": lambda w: w.tree("a").with_error("").entries(),
    "an owner by number": lambda w: _owner(w, "1000:1001"),
    "an owner by name": lambda w: _owner(w, "daemon"),
    "an owner that makes no sense": lambda w: _owner(w, "a:b:c"),
}
