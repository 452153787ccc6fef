"""Host, as Dagger's own integration tests (host_test.go, local_test.go) have it."""

import os
import uuid
from pathlib import Path

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]


async def refused(awaitable) -> str:
    """The message that something asked for is refused with."""
    with pytest.raises(dagger.QueryError) as problem:
        await awaitable
    return str(problem.value)


def fill(folder: Path, files: dict[str, str]) -> Path:
    """Write files into a host directory."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


async def files(directory) -> list[str]:
    """The paths of the files in a directory."""
    return [path for path in await directory.glob("**") if not path.endswith("/")]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A host directory."""
    names = ("a.txt", "b.txt", "c.txt.rar", "subdir/d.txt", "subdir/e.txt", "subdir/f.txt.rar")
    return fill(tmp_path / "folder", dict.fromkeys(names, "text"))


async def test_a_path_may_be_absolute_relative_or_below_home(dag, workdir, folder, monkeypatch):
    assert await dag.host().directory(str(folder)).entries() == ["a.txt", "b.txt", "c.txt.rar", "subdir/"]
    fill(workdir, {"some-dir/sub-file": "x"})
    assert await dag.host().directory("some-dir").entries() == ["sub-file"]
    assert await dag.host().directory("./other/../some-dir").file("sub-file").contents() == "x"
    assert await dag.host().directory("..", include=["nothing"]).entries() == []
    home = dag.host().directory("~", include=["nothing"])
    assert await home.entries() == []


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ({"exclude": ["*.rar"]}, ["a.txt", "b.txt", "subdir/d.txt", "subdir/e.txt", "subdir/f.txt.rar"]),
        ({"exclude": ["subdir"]}, ["a.txt", "b.txt", "c.txt.rar"]),
        ({"include": ["*.rar"]}, ["c.txt.rar"]),
        ({"include": ["subdir/*.txt"]}, ["subdir/d.txt", "subdir/e.txt"]),
        ({"include": ["*.txt"], "exclude": ["b.txt"]}, ["a.txt"]),
        ({"include": ["a.txt"], "exclude": ["*.txt"]}, []),
        ({"exclude": ["**", "!subdir/e.txt"]}, ["subdir/e.txt"]),
        ({"include": ["subdir"], "exclude": ["/", "../x", "**/e.txt"]}, ["subdir/d.txt", "subdir/f.txt.rar"]),
        ({"include": ["."], "exclude": ["subdir"]}, ["a.txt", "b.txt", "c.txt.rar"]),
    ],
)
async def test_patterns_choose_what_is_read(dag, folder, patterns, left):
    assert await files(dag.host().directory(str(folder), **patterns)) == left


async def test_what_patterns_leave_out_is_not_read(dag, folder):
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "fifo")
    (folder / "secret").mkdir()
    entries = await dag.host().directory(str(folder), exclude=["secret", "fifo"]).entries()
    assert entries == ["a.txt", "b.txt", "c.txt.rar", "loop", "subdir/"]


async def test_modes_links_and_times_come_along_and_owners_do_not(dag, folder):
    (folder / "b.txt").write_text(uuid.uuid4().hex)
    os.utime(folder / "b.txt", (1_000_000_000, 1_000_000_000))
    (folder / "a.txt").chmod(0o640)
    (folder / "subdir").chmod(0o711)
    (folder / "link").symlink_to("subdir/e.txt")
    read = dag.host().directory(str(folder))
    modes = [await read.stat(path).permissions() for path in ("a.txt", "subdir")]
    assert modes == [0o640, 0o711]
    assert await read.file("link").contents() == "text"
    await read.export(str(folder.parent / "out"))
    assert (folder.parent / "out/b.txt").stat().st_mtime == 1_000_000_000
    assert (folder.parent / "out/link").readlink() == Path("subdir/e.txt")


async def test_a_directory_is_read_once_a_session_unless_it_must_not_be_cached(dag, folder):
    cached = dag.host().directory(str(folder))
    before = await cached.entries()
    fill(folder, {"new": "", "a.txt": "changed"})
    assert await cached.entries() == before
    assert await dag.host().directory(str(folder)).file("a.txt").contents() == "text"
    fresh = dag.host().directory(str(folder), no_cache=True)
    assert "new" in await fresh.entries()
    assert await fresh.file("a.txt").contents() == "changed"


async def test_what_was_synced_stays_as_it_was(dag, folder):
    kept = await dag.host().directory(str(folder), no_cache=True).sync()
    fill(folder, {"a.txt": "changed"})
    assert await kept.file("a.txt").contents() == "text"


async def test_a_change_of_the_same_length_is_seen_and_so_is_a_removal(dag, folder):
    def read():
        return dag.host().directory(str(folder), no_cache=True)

    assert await read().file("a.txt").contents() == "text"
    os.utime(folder / "a.txt", (1, 1))
    assert await read().file("a.txt").contents() == "text"
    (folder / "a.txt").write_text("TEXT")
    os.utime(folder / "a.txt", (1, 1))
    assert await read().file("a.txt").contents() == "TEXT"
    (folder / "b.txt").unlink()
    (folder / "subdir").rename(folder / "moved")
    assert await read().entries() == ["a.txt", "c.txt.rar", "moved/"]


async def test_what_is_not_there_is_named(dag, folder):
    assert f"{folder}/nope: no such file or directory" in await refused(
        dag.host().directory(f"{folder}/nope").entries()
    )
    assert f"{folder}/a.txt: not a directory" in await refused(
        dag.host().directory(f"{folder}/a.txt").entries()
    )
    missing = await refused(dag.host().file(f"{folder}/nope").contents())
    assert missing == f"stat nope: no such file or directory: {folder}/nope"
    assert "is a directory, not a file" in await refused(dag.host().file(str(folder)).contents())


GIT = {
    ".git/HEAD": "",
    ".gitignore": "**.txt\n.git/\n!subdir/e.txt\n*.md\ninternal/foo/\n",
    "a.txt": "",
    "b.md": "",
    "c.rar": "",
    "internal/foo/x.go": "",
    "subdir/e.txt": "",
    "subdir/g.txt": "",
    "subdir/h.yaml": "",
    "subdir2/.gitignore": "*.yaml\n.gitignore\n",
    "subdir2/bool.yaml": "",
    "subdir2/foo.go": "",
}


async def test_gitignore_files_are_obeyed_when_they_should_be(dag, tmp_path):
    fill(tmp_path, GIT)
    everything = await files(dag.host().directory(str(tmp_path)))
    assert everything == sorted(GIT)
    left = [".gitignore", "c.rar", "subdir/e.txt", "subdir/h.yaml", "subdir2/foo.go"]
    assert await files(dag.host().directory(str(tmp_path), gitignore=True)) == left
    without = dag.host().directory(str(tmp_path), gitignore=True, exclude=[".gitignore"])
    assert await files(without) == left[1:]
    some = dag.host().directory(str(tmp_path), gitignore=True, include=["subdir"])
    assert await files(some) == ["subdir/e.txt", "subdir/h.yaml"]


async def test_gitignore_files_count_from_where_git_is(dag, tmp_path):
    fill(tmp_path, GIT)
    inner = dag.host().directory(str(tmp_path / "subdir"), gitignore=True)
    assert await files(inner) == ["e.txt", "h.yaml"]
    fewer = dag.host().directory(str(tmp_path / "subdir"), gitignore=True, exclude=["*.yaml"])
    assert await files(fewer) == ["e.txt"]
    ignored = dag.host().directory(str(tmp_path / "internal/foo"), gitignore=True)
    assert "foo: no such file or directory" in await refused(ignored.entries())


async def test_a_rule_that_git_reads_as_nothing_ignores_nothing(dag, tmp_path):
    fill(tmp_path, {".gitignore": "**/**", "bar.txt": "", "foo.go": ""})
    assert await dag.host().directory(str(tmp_path), gitignore=True).entries() == [
        ".gitignore",
        "bar.txt",
        "foo.go",
    ]


async def test_a_file_is_read_under_its_own_name_once_a_session(dag, folder):
    file = dag.host().file(str(folder / "subdir/d.txt"))
    assert (await file.name(), await file.contents()) == ("d.txt", "text")
    fill(folder, {"subdir/d.txt": "changed"})
    assert await file.contents() == "text"
    assert await dag.host().file(str(folder / "subdir/d.txt"), no_cache=True).contents() == "changed"


async def test_a_host_file_may_be_a_link(dag, folder):
    (folder / "link").symlink_to("a.txt")
    file = dag.host().file(str(folder / "link"))
    assert (await file.name(), await file.contents()) == ("link", "text")


async def test_the_nearest_file_of_a_name_is_found_upwards_from_the_working_directory(dag, workdir):
    fill(workdir.parent, {"above-here": "", "beside/below": ""})
    fill(workdir, {"here": ""})
    names = ("here", "above-here", "beside", "below", "nonexistent-anywhere")
    found = [await dag.host().find_up(name) for name in names]
    assert [each or "" for each in found] == ["here", "../above-here", "../beside", "", ""]


async def test_a_large_directory_is_read_again_only_where_it_changed(dag, tmp_path):
    fill(tmp_path, {f"{number % 7}/{number}": str(number) for number in range(400)})

    def read():
        return dag.host().directory(str(tmp_path), no_cache=True)

    before = await read().digest()
    assert await read().digest() == before
    fill(tmp_path, {"3/3": "other"})
    changed = read()
    assert await dag.host().directory(str(tmp_path)).diff(changed).glob("**") == []
    assert await changed.file("3/3").contents() == "other"
    assert await changed.digest() != before
