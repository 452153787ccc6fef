"""The client's machine: what is read of it, and what is written to it."""

import os
import pathlib

from tests.parity.world import Room, World


def _written(folder: pathlib.Path) -> list[str]:
    return sorted(
        f"{path.relative_to(folder)}{' -> ' + os.readlink(path) if path.is_symlink() else ''}"
        for path in folder.rglob("*")
    )


async def _export(world: World, *, wipe: bool = False, to: str = "out") -> object:
    world.on_host({"out/old": "old", "out/f": "old", "out/d/old": "old"})
    made = world.tree("f", "d/new").with_symlink("f", "l")
    told = await made.export(str(world.folder / to), wipe=wipe)
    return [told.replace(str(world.folder), ""), _written(world.folder), (world.folder / "out/f").read_text()]


async def _modes(world: World) -> object:
    made = (
        world.directory().with_new_file("x", "", permissions=0o751).with_new_directory("d", permissions=0o711)
    )
    await made.export(str(world.folder / "out"))
    return [oct((world.folder / "out" / name).stat().st_mode & 0o7777) for name in ("x", "d")]


async def _file(world: World, to: str, **arguments: bool) -> object:
    (world.folder / "there").mkdir()
    told = await world.tree("name").file("name").export(str(world.folder / to), **arguments)
    return [told.replace(str(world.folder), ""), _written(world.folder)]


async def _links(world: World) -> object:
    folder = world.on_host({"a/f": "text", "b/g": "other"})
    (world.folder / "a/to-f").symlink_to("f")
    (world.folder / "a/to-g").symlink_to("../b/g")
    (world.folder / "a/absolute").symlink_to(world.folder / "b")
    (world.folder / "a/dangling").symlink_to("nope")
    made = world.dag.host().directory(folder + "/a")
    kinds = [await made.stat(name, do_not_follow_symlinks=True).file_type() for name in await made.entries()]
    return [await made.entries(), kinds]


async def _by_link(world: World) -> str:
    folder = world.on_host({"a": "text"})
    (world.folder / "l").symlink_to("a")
    return await world.dag.host().file(folder + "/l").contents()


async def _folder_by_link(world: World) -> list[str]:
    folder = world.on_host({"a/f": "text"})
    (world.folder / "l").symlink_to("a")
    return await world.dag.host().directory(folder + "/l").entries()


async def _host_modes(world: World) -> list[int]:
    folder = world.on_host({"a": "", "d/b": ""})
    (world.folder / "a").chmod(0o640)
    (world.folder / "d").chmod(0o750)
    made = world.dag.host().directory(folder)
    return [await made.stat(name).permissions() for name in ("a", "d", "d/b")]


PIPELINES: Room = {
    "a directory": lambda w: w.dag.host().directory(w.on_host({"a": "", "b/c": ""})).glob("**"),
    "a directory without some": lambda w: (
        w.dag.host()
        .directory(w.on_host({"a.py": "", "b/c.py": "", "b/d": ""}), exclude=["**/*.py"])
        .glob("**")
    ),
    "some of a directory": lambda w: (
        w.dag.host()
        .directory(w.on_host({"a.py": "", "b/c.py": "", "b/d": ""}), include=["**/*.py"])
        .glob("**")
    ),
    "a directory but what git ignores": lambda w: (
        w.dag.host()
        .directory(
            w.on_host({"a.py": "", ".gitignore": "*.pyc\nout/\n", "b.pyc": "", "out/x": ""}), gitignore=True
        )
        .glob("**")
    ),
    "a directory that is not there": lambda w: w.dag.host().directory(str(w.folder / "nope")).entries(),
    "a directory that is a file": lambda w: w.dag.host().directory(w.on_host({"a": ""}) + "/a").entries(),
    "a directory's name": lambda w: w.dag.host().directory(w.on_host({"sub/a": ""}) + "/sub").name(),
    "a file": lambda w: w.dag.host().file(w.on_host({"a": "text"}) + "/a").contents(),
    "a file's name": lambda w: w.dag.host().file(w.on_host({"a": "text"}) + "/a").name(),
    "a file that is not there": lambda w: w.dag.host().file(str(w.folder / "nope")).contents(),
    "a file that is a directory": lambda w: w.dag.host().file(w.on_host({"a/b": ""}) + "/a").contents(),
    "a file by a link": _by_link,
    "a directory by a link": _folder_by_link,
    "links in a directory": _links,
    "modes in a directory": _host_modes,
    "owners in a directory": lambda w: w.shell(
        "stat -c '%u:%g' /h/a", w.base.with_directory("/h", w.dag.host().directory(w.on_host({"a": ""})))
    ),
    "found above": lambda w: w.dag.host().find_up("no-such-name-anywhere"),
    "a directory is exported": _export,
    "a directory is exported, what was there removed": lambda w: _export(w, wipe=True),
    "a directory is exported to a new place": lambda w: _export(w, to="other/place"),
    "a directory is exported over a file": lambda w: _export(w, to="out/f"),
    "modes are exported": _modes,
    "a file is exported": lambda w: _file(w, "new"),
    "a file is exported into a folder": lambda w: _file(w, "there"),
    "a file is exported into a folder that is named": lambda w: _file(w, "there", allow_parent_dir_path=True),
    "a file is exported below a new folder": lambda w: _file(w, "deep/er/new"),
    "a file is exported by a relative path": lambda w: (
        w.tree("name").file("name").export("relative-" + w.unique[:0] + "x")
    ),
    "a file that is not there is exported": lambda w: w.tree("name").file("nope").export(str(w.folder / "x")),
    "a directory that is not there is exported": lambda w: (
        w.tree("a").directory("b").export(str(w.folder / "x"))
    ),
}
