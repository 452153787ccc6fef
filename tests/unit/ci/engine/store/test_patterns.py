"""Include and exclude patterns: tables of the documented rules, and a slow reading to compare with."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.engine.store.gitignore import Ignores
from ci.engine.store.patterns import Patterns, Selection
from ci.engine.store.wildcards import BadPattern, glob, matcher


@pytest.mark.parametrize(
    ("pattern", "matched", "unmatched"),
    [
        # The table of the Dockerfile reference, ".dockerignore files", and its prose.
        ("*/temp*", ["a/temp", "a/temp.txt"], ["temp", "a/b/temp"]),
        ("*/*/temp*", ["a/b/temporary"], ["a/temp", "a/b/c/temp"]),
        ("temp?", ["tempa", "tempb"], ["temp", "tempab", "temp/"]),
        ("**/*.go", ["x.go", "a/x.go", "a/b/x.go"], ["x.gox", "go"]),
        ("*.md", ["README.md"], ["docs/README.md"]),
        # What Docker's implementation makes of ``**`` in other places.
        ("**", ["a", "a/b"], []),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb", "b"]),
        ("a**", ["a", "ab", "a/b"], ["ba"]),
        ("**/a", ["a", "b/a"], ["ba"]),
        ("**a", ["a", "ba", "x/ba"], ["ab"]),
        ("a**/b", ["ab", "ax/b", "ax/y/b"], ["axb"]),
        # Classes and escapes of Go's filepath.Match.
        ("[a-c]x", ["ax", "cx"], ["dx", "x", "/x"]),
        ("[^a-c]x", ["dx"], ["ax", "x"]),
        ("x[^a]b", ["xbb", "x/b"], ["xab"]),
        ("[!a]", ["!", "a"], ["b"]),
        ("[]-]", [], []),
        (r"[\]\-]", ["]", "-"], ["a"]),
        (r"\*", ["*"], ["a"]),
        ("a.b+(c)|{d}$", ["a.b+(c)|{d}$"], ["aab+(c)|{d}$"]),
    ],
)
def test_what_a_pattern_matches(pattern, matched, unmatched):
    if not matched and not unmatched:
        with pytest.raises(BadPattern):
            matcher(pattern)
        return
    matches = matcher(pattern)
    assert [path for path in matched if not matches(path)] == []
    assert [path for path in unmatched if matches(path)] == []


@pytest.mark.parametrize("pattern", ["[", "[a", "[a-", "[]", "[-a]", "[a-]", "\\", "x[^]", "[\\"])
def test_a_malformed_pattern_is_refused_in_either_dialect(pattern):
    for dialect in (glob, matcher):
        with pytest.raises(BadPattern, match="syntax error in pattern"):
            dialect(pattern)


def test_two_stars_are_no_more_than_one_in_a_plain_glob():
    assert glob("a**b")("axxb")
    assert not glob("**")("a/b")
    assert not glob("[^a]")("")


names = st.text("ab", min_size=1, max_size=2)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
pieces = (
    st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]"]), min_size=1, max_size=3)
    .map("".join)
    .filter(lambda piece: "**" not in piece)
)
whole = st.lists(st.one_of(pieces, st.just("**")), min_size=1, max_size=4).map("/".join)
lists = st.lists(st.tuples(st.booleans(), whole), max_size=4)


def slow_match(pattern: list[str], path: list[str]) -> bool:
    """Match name by name; ``**`` tries every number of names."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        if len(pattern) == 1:
            return bool(path)
        return any(slow_match(pattern[1:], path[skip:]) for skip in range(len(path) + 1))
    same = bool(path) and fnmatch.fnmatchcase(path[0], pattern[0])
    return same and slow_match(pattern[1:], path[1:])


@given(pattern=whole, path=paths)
def test_a_pattern_matches_what_a_slow_reading_matches(pattern, path):
    assert bool(matcher(pattern)(path)) == slow_match(pattern.split("/"), path.split("/"))


@given(patterns=st.lists(whole, max_size=4), path=paths)
def test_a_list_matches_what_one_of_its_patterns_matches_and_all_below_it(patterns, path):
    parts = path.split("/")
    above = [parts[:count] for count in range(1, len(parts) + 1)]
    expected = any(slow_match(pattern.split("/"), each) for pattern in patterns for each in above)
    assert Patterns.parse(patterns).matches(path) == expected


@pytest.mark.parametrize(
    ("patterns", "path", "matched"),
    [
        (["*.md", "!README.md"], "README.md", False),
        (["*.md", "!README*.md", "README-secret.md"], "README-secret.md", True),
        (["!README.md", "*.md"], "README.md", True),
        (["a", "!a/b"], "a/b", False),
        (["a", "!a/b"], "a/b/c", False),
        (["a", "!a/b", "a/b/c"], "a/b/c", True),
        (["a/b", "!a"], "a/b", True),  # "!a" took nothing back when "a" was looked at
        (["!a"], "a", False),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns, path, matched):
    assert Patterns.parse(patterns).matches(path) == matched


@given(include=lists, exclude=lists, path=paths)
def test_a_directory_that_is_not_looked_into_has_nothing_to_be_found(include, exclude, path):
    selection = Selection(Patterns(tuple(include)), Patterns(tuple(exclude)))
    state = ((), ())
    parts = path.split("/")
    entered, all_taken = True, False
    for count in range(1, len(parts) + 1):
        place = "/".join(parts[:count])
        taken, state = selection.step(place, state)
        if not entered:
            assert not taken
        if all_taken:
            assert taken
        entered = entered and selection.may_take_below(place, state)
        all_taken = all_taken or (taken and selection.takes_all_below(place))


def test_blanks_slashes_and_dots_around_a_pattern_do_not_count_but_a_leading_slash_does():
    assert Patterns.parse([" a ", "", "./b/", "c//d", "!e/", "/f"]).rules == (
        (False, "a"),
        (False, "b"),
        (False, "c/d"),
        (True, "e"),
        (False, "/f"),
    )
    assert not Patterns.parse(["/f"]).matches("f")


@pytest.mark.parametrize(
    ("text", "ignored", "kept"),
    [
        # Git's documentation, "gitignore", PATTERN FORMAT.
        ("hello.*", ["hello.txt", "a/hello.java"], ["hello"]),
        ("/hello.*", ["hello.txt"], ["a/hello.java"]),
        ("foo/", ["foo/", "a/foo/", "foo/x"], ["foo"]),
        ("doc/frotz", ["doc/frotz"], ["a/doc/frotz"]),
        ("foo/*", ["foo/test.json", "foo/bar/"], ["a/foo/x"]),
        ("**/foo", ["foo", "a/foo", "a/b/foo"], ["foox"]),
        ("**/foo/bar", ["foo/bar", "a/foo/bar"], ["a/foo/x/bar"]),
        ("abc/**", ["abc/x", "abc/x/y"], ["abcx"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["x/a/b"]),
        ("*.html\n!foo.html", ["a.html"], ["foo.html", "d/foo.html"]),
        ("# a comment\n\n  spaced  ", ["spaced"], ["# a comment"]),
        # Unlike git, something in a directory that is left out may come back.
        ("d/\n!d/keep", ["d/", "d/x"], ["d/keep"]),
    ],
)
def test_what_gitignore_rules_leave_out(text, ignored, kept):
    ignores = Ignores().adding(text, 0)

    def out(path: str) -> bool:
        return ignores.ignored(tuple(path.rstrip("/").split("/")), is_directory=path.endswith("/"))

    assert [path for path in ignored if not out(path)] == []
    assert [path for path in kept if out(path)] == []


def test_rules_of_a_deeper_file_count_from_there_and_win():
    ignores = Ignores().adding("*.log", 0).adding("!/a.log\n/b", 1)
    assert not ignores.ignored(("d", "a.log"), is_directory=False)
    assert ignores.ignored(("d", "x", "a.log"), is_directory=False)
    assert ignores.ignored(("d", "b"), is_directory=True)


@pytest.mark.parametrize(
    ("pattern", "folder", "entered"),
    [
        ("app/**/*.py", "app", True),
        ("app/**/*.py", "app/serving", True),
        ("app/**/*.py", ".venv", False),
        ("a*/**", "app", True),
        ("a*/**", "tests/app", False),
        ("**/*.py", ".venv/lib", True),
        ("app/x**/y", "app/serving", True),
        ("app/*.py", "app/serving", False),
        ("app[/]x/*.py", "app", True),
    ],
)
def test_a_folder_that_no_pattern_reaches_into_is_not_looked_into(pattern, folder, entered):
    assert Patterns.parse([pattern]).may_match_below(folder) is entered
