"""Include, exclude and gitignore patterns, and globs: what they leave of a directory."""

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]

FILES = (
    "a.txt",
    "b.txt",
    "c.txt.rar",
    "subdir/d.txt",
    "subdir/e.txt",
    "subdir/f.txt.rar",
    "other/deep/g.txt",
)
TXT = ["a.txt", "b.txt", "other/deep/g.txt", "subdir/d.txt", "subdir/e.txt"]


def filled(dag, *paths, **contents):
    """A directory with files, empty ones or with the given contents."""
    directory = dag.directory()
    for path in paths:
        directory = directory.with_new_file(path, contents.get(path, ""))
    return directory


async def files(directory) -> list[str]:
    """The paths of the files in a directory."""
    return [path for path in await directory.glob("**") if not path.endswith("/")]


CASES = [
    ({"exclude": ["*.rar"]}, [*TXT[:3], *TXT[3:], "subdir/f.txt.rar"]),
    ({"exclude": ["**/*.rar"]}, TXT),
    ({"include": ["*.rar"]}, ["c.txt.rar"]),
    ({"include": ["**/*.rar"]}, ["c.txt.rar", "subdir/f.txt.rar"]),
    ({"include": ["*.txt"], "exclude": ["b.txt"]}, ["a.txt"]),
    ({"include": ["a.txt"], "exclude": ["*.txt"]}, []),
    ({"exclude": ["subdir", "other"]}, ["a.txt", "b.txt", "c.txt.rar"]),
    ({"exclude": ["subdir/"]}, ["a.txt", "b.txt", "c.txt.rar", "other/deep/g.txt"]),
    ({"include": ["subdir/"]}, ["subdir/d.txt", "subdir/e.txt", "subdir/f.txt.rar"]),
    ({"include": ["subdir/*.txt"]}, ["subdir/d.txt", "subdir/e.txt"]),
    ({"include": ["subdir", "!subdir/d.txt"]}, ["subdir/e.txt", "subdir/f.txt.rar"]),
    ({"exclude": ["subdir", "!subdir/e.txt", "other"]}, ["a.txt", "b.txt", "c.txt.rar", "subdir/e.txt"]),
    ({"exclude": ["*", "!**/g.txt"]}, ["other/deep/g.txt"]),
    ({"exclude": ["!a.txt", "*.txt"]}, [p for p in sorted(FILES) if p not in {"a.txt", "b.txt"}]),
    ({"include": ["[ab].txt"]}, ["a.txt", "b.txt"]),
    ({"include": ["[^a].txt"]}, ["b.txt"]),
    ({"include": ["?.txt"]}, ["a.txt", "b.txt"]),
    ({"include": ["other/**/g.txt"]}, ["other/deep/g.txt"]),
    ({"include": ["./a.txt", " b.txt "]}, ["a.txt", "b.txt"]),
    ({"include": ["/a.txt"]}, []),
    ({"exclude": ["/a.txt", "", "**/*.rar"]}, TXT),
    ({"include": ["**g.txt"]}, ["other/deep/g.txt"]),
    ({"include": ["*/deep"]}, ["other/deep/g.txt"]),
]


@pytest.mark.parametrize(("patterns", "left"), CASES)
async def test_patterns_choose_as_docker_reads_them(dag, patterns, left):
    directory = filled(dag, *FILES)
    assert await files(directory.filter(**patterns)) == sorted(left)


@pytest.mark.parametrize(("patterns", "left"), CASES[:6])
async def test_a_copy_is_chosen_from_like_a_filter(dag, patterns, left):
    source = dag.directory().with_directory("sub", filled(dag, *FILES)).directory("sub")
    assert await files(dag.directory().with_directory("x", source, **patterns).directory("x")) == sorted(left)


async def test_patterns_see_paths_from_the_directory_they_are_for(dag):
    inner = filled(dag, *FILES).directory("subdir")
    assert await inner.filter(exclude=["*.rar"]).entries() == ["d.txt", "e.txt"]


async def test_directories_stay_when_they_are_chosen_or_something_in_them_is(dag):
    tree = filled(dag, "full/f").with_new_directory("empty", permissions=0o755)
    assert await tree.filter(exclude=["full/f"]).glob("**") == ["empty/", "full/"]
    assert await tree.filter(include=["full/f"]).glob("**") == ["full/", "full/f"]
    assert await tree.filter(include=["empty"]).glob("**") == ["empty/"]
    assert await tree.filter(exclude=["empty"]).glob("**") == ["full/", "full/f"]
    assert await tree.filter(include=["*/nothing"]).glob("**") == []


@pytest.mark.parametrize("pattern", ["[", "a[", "[]a]", "x\\", "[z-"])
async def test_a_malformed_pattern_is_refused_by_name(dag, pattern):
    with pytest.raises(dagger.QueryError, match="syntax error in pattern") as problem:
        await dag.directory().filter(exclude=[pattern]).entries()
    assert repr(pattern) in str(problem.value)


async def test_an_exception_to_nothing_is_refused(dag):
    with pytest.raises(dagger.QueryError, match='illegal exclusion pattern: "!"'):
        await dag.directory().filter(exclude=["!"]).entries()


async def test_blank_patterns_choose_nothing(dag):
    assert await filled(dag, "a", "b/c").filter(include=["", " "]).glob("**") == []
    assert await filled(dag, "a", "b/c").filter(exclude=["", " "]).glob("**") == ["a", "b/", "b/c"]


async def test_gitignore_rules_of_every_level_are_obeyed(dag):
    tree = dag.directory()
    for path, text in {
        ".gitignore": "**.txt\n.git/\n!subdir/e.txt\n*.md\ninternal/foo/\n# comment\n",
        ".git/HEAD": "",
        "a.txt": "",
        "b.md": "",
        "c.txt.rar": "",
        "internal/foo/x": "",
        "internal/bar/x": "",
        "subdir/e.txt": "",
        "subdir/g.txt": "",
        "subdir/h.yaml": "",
        "subdir2/.gitignore": "*.yaml\n.gitignore\n!bar.txt\n",
        "subdir2/bar.txt": "",
        "subdir2/bool.yaml": "",
        "subdir2/foo.go": "",
    }.items():
        tree = tree.with_new_file(path, text)
    left = [".gitignore", "c.txt.rar", "internal/bar/x", "subdir/e.txt", "subdir/h.yaml"]
    assert await files(tree.filter(gitignore=True)) == [*left, "subdir2/bar.txt", "subdir2/foo.go"]
    assert await files(tree.directory("subdir").filter(gitignore=True)) == ["e.txt", "h.yaml"]
    without = tree.filter(gitignore=True, exclude=[".gitignore", "subdir2"])
    assert await files(without) == left[1:]
    copied = dag.directory().with_directory("x", tree, gitignore=True, include=["subdir"]).directory("x")
    assert await files(copied) == ["subdir/e.txt", "subdir/h.yaml"]


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ("f", ["d/x", "e/d/y"]),
        ("/f", ["d/f", "d/x", "e/d/y"]),
        ("d", ["f"]),
        ("d/", ["f"]),
        ("/d/", ["e/d/y", "f"]),
        ("e/d", ["d/f", "d/x", "f"]),
        ("**/d/y", ["d/f", "d/x", "f"]),
        ("d/**", ["e/d/y", "f"]),
        ("f/", ["d/f", "d/x", "e/d/y", "f"]),
        ("*\n!x", ["d/x"]),
        ("f\n!d/f", ["d/f", "d/x", "e/d/y"]),
        ("**/**", ["d/f", "d/x", "e/d/y", "f"]),
        ("[", ["d/f", "d/x", "e/d/y", "f"]),
        ("[e-f]", ["d/x"]),
    ],
)
async def test_what_gitignore_rules_leave_out(dag, rules, left):
    tree = filled(dag, "f", "d/f", "d/x", "e/d/y").with_new_file(".gitignore", rules)
    found = await files(tree.filter(gitignore=True))
    assert [path for path in found if path != ".gitignore"] == left


GLOBBED = (
    "main.go", "test.md", "foo.txt", "subdir/foo.txt", "subdir/README.md", "subdir2/TESTING.md",
    "subdir/subsubdir/JS.md", "subdir/subsubdir/index.mts", "dir.md/w.md", "dir.md/x.go",
)  # fmt: skip


@pytest.mark.parametrize("place", [".", "foobar", "/foo/bar"])
@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.md", ["dir.md/", "test.md"]),
        (
            "**/*.md",
            [
                "dir.md/", "dir.md/w.md", "subdir/README.md", "subdir/subsubdir/JS.md",
                "subdir2/TESTING.md", "test.md",
            ],
        ),
        ("subdir/**/*.md", ["subdir/README.md", "subdir/subsubdir/JS.md"]),
        ("subdir", ["subdir/"]),
        ("*/*.go", ["dir.md/x.go"]),
        ("nothing*", []),
        ("/main.go", []),
    ],
)  # fmt: skip
async def test_a_glob_finds_paths_and_not_what_is_below_them(dag, place, pattern, found):
    tree = dag.directory().with_directory(place, filled(dag, *GLOBBED)).directory(place)
    assert await tree.glob(pattern) == found


async def test_a_glob_of_nothing_finds_nothing_and_of_what_is_not_there_is_an_error(dag):
    assert await dag.directory().glob("**/*") == []
    with pytest.raises(dagger.QueryError, match="foo: no such file or directory"):
        await dag.directory().directory("foo").glob("**/*")
