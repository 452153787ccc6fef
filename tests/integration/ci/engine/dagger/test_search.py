"""Directory.search and File.search: what ripgrep finds, found without it."""

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]

CODE = """package main

import "fmt"

func main() {
\tname := "Alice"
\tage := 30
\tfmt.Println("Hello")
}

func another() {
\tname := "Alice"
\tage := 50
}"""


async def found(results) -> list[tuple[str, int, str]]:
    """Path, line number and lines of each result."""
    return [(await r.file_path(), await r.line_number(), await r.matched_lines()) for r in results]


async def lines(results) -> list[int]:
    """The line number of each result."""
    return [await result.line_number() for result in results]


async def paths(results) -> list[str]:
    """The path of each result."""
    return [await result.file_path() for result in results]


@pytest.fixture
def tree(dag):
    """A tree to search."""
    return (
        dag.directory()
        .with_new_file("file1.txt", "Hello, World!\nThis is a --test-- file.\nWorld is great.")
        .with_new_file("file2.txt", "Hello, Dagger!\n")
        .with_new_file("subdir/file3.txt", "Hello from subdirectory!\nWorld tour.")
        .with_new_file("subdir/.hidden", "World\n")
        .with_new_file("binary", "World\x00")
    )


async def test_lines_are_found_with_where_they_are(tree):
    results = await tree.search("World")
    assert await found(results) == [
        ("file1.txt", 1, "Hello, World!\n"),
        ("file1.txt", 3, "World is great."),
        ("subdir/.hidden", 1, "World\n"),
        ("subdir/file3.txt", 2, "World tour."),
    ]
    assert [await result.absolute_offset() for result in results] == [0, 39, 0, 25]
    submatches = await results[0].submatches()
    assert [(await s.text(), await s.start(), await s.end()) for s in submatches] == [("World", 7, 12)]


async def test_a_line_with_several_matches_is_one_result(dag):
    (result,) = await dag.file("f", "a b a\nb").search("a")
    assert [(await s.start(), await s.end()) for s in await result.submatches()] == [(0, 1), (4, 5)]


@pytest.mark.parametrize(
    ("pattern", "options", "numbers"),
    [
        (r"func \w+\(\)", {}, [5, 11]),
        (r"func \w+()", {"literal": True}, []),
        ("main()", {"literal": True}, [5]),
        ("FUNC", {}, []),
        ("FUNC", {"insensitive": True}, [5, 11]),
        (r"^\}$", {}, [9, 14]),
        (r'"[[:alpha:]]+"', {}, [3, 6, 8, 12]),
        (r"(?<word>age) :=\s", {}, [7, 13]),
        (r"\d+\s", {}, []),
        (':= "Alice"\n\tage', {"multiline": True, "literal": True}, [6, 12]),
        (r':= ".*"\n\s+age', {"multiline": True}, [6, 12]),
        (r"main.*another", {"multiline": True}, []),
        (r"(?-u:m)ain\(.*another", {"multiline": True, "dotall": True}, None),
        (r"main\(.*another", {"multiline": True, "dotall": True}, [5]),
        ("fmt", {"limit": 1}, [3]),
        ("nonexistent", {}, []),
    ],
)
async def test_what_a_pattern_finds(dag, pattern, options, numbers):
    file = dag.file("code.go", CODE)
    if numbers is None:
        with pytest.raises(dagger.QueryError, match="ripgrep error"):
            await file.search(pattern, **options)
        return
    assert await lines(await file.search(pattern, **options)) == numbers


async def test_matches_over_several_lines_come_with_all_of_them(dag):
    (first, _) = await dag.file("code.go", CODE).search(r':= ".*"\n\s+age', multiline=True)
    assert await first.matched_lines() == '\tname := "Alice"\n\tage := 30\n'


@pytest.mark.parametrize("pattern", ["(", "a\nb"])
async def test_a_pattern_that_makes_no_sense_is_refused(dag, pattern):
    with pytest.raises(dagger.QueryError, match="ripgrep error"):
        await dag.directory().with_new_file("f", "").search(pattern)


async def test_files_alone_may_be_asked_for(tree):
    assert await found(await tree.search("Hello", files_only=True)) == [
        ("file1.txt", 0, ""),
        ("file2.txt", 0, ""),
        ("subdir/file3.txt", 0, ""),
    ]


async def test_hidden_and_ignored_files_are_searched_unless_they_are_skipped(dag, tree):
    assert await paths(await tree.search("^World$", skip_hidden=True)) == []
    ignoring = tree.with_new_file("a.log", "World").with_new_file(".rgignore", "*.log\nsubdir/\nfile1.txt")
    assert "a.log" in await paths(await ignoring.search("World"))
    assert await paths(await ignoring.search("World", skip_ignored=True)) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"globs": ["*.txt"]}, ["file1.txt", "file2.txt", "subdir/file3.txt"]),
        ({"globs": ["*2.txt", "*3.txt"]}, ["file2.txt", "subdir/file3.txt"]),
        ({"globs": ["!*1.txt"]}, ["file2.txt", "subdir/file3.txt"]),
        ({"globs": ["**/*3*"]}, ["subdir/file3.txt"]),
        ({"globs": ["subdir/*"]}, ["subdir/file3.txt"]),
        ({"globs": ["*.md"]}, []),
        ({"paths": ["subdir"]}, ["subdir/file3.txt"]),
        ({"paths": ["/subdir/../file2.txt", "subdir"]}, ["file2.txt", "subdir/file3.txt"]),
        ({"paths": ["subdir"], "globs": ["*.txt"]}, ["subdir/file3.txt"]),
    ],
)
async def test_a_search_may_be_of_some_files_alone(tree, options, expected):
    assert await paths(await tree.search("Hello", **options)) == expected


@pytest.mark.parametrize("path", ["../../etc/passwd", "some/../../x"])
async def test_a_search_stays_in_the_directory(tree, path):
    with pytest.raises(dagger.QueryError, match="path cannot escape directory"):
        await tree.search("x", paths=[path])


async def test_links_are_followed_within_the_tree_when_they_are_named_and_only_then(dag):
    tree = dag.directory().with_new_file("etc/passwd", "root:x").with_symlink("/etc", "link")
    assert await paths(await tree.search("root")) == ["etc/passwd"]
    assert await lines(await tree.search("root", paths=["link/passwd"])) == [1]
    assert await lines(await tree.search("root", paths=["link"])) == [1]


async def test_results_are_relative_to_the_directory_that_is_searched(tree):
    assert await paths(await tree.directory("subdir").search("tour")) == ["file3.txt"]
    assert await tree.directory("subdir").search("nothing") == []
