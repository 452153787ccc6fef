"""Trees: the same content is the same value, however it came about."""

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci.engine.store import algebra
from ci.engine.store.patterns import Selection
from ci.engine.store.store import Store
from ci.engine.store.tree import EMPTY, Entry, Put, Remove, directory

names = st.text(string.ascii_lowercase, min_size=1, max_size=2)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
contents = st.sampled_from(["aa", "bb", "cc"])
file_maps = st.dictionaries(paths, contents, max_size=8)
few = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


def file(digest: str, **changes: object) -> Entry:
    return Entry("f", 0o644, 0, 0, digest, 1)._replace(**changes)


def build(store: Store, files: dict[str, str]) -> str:
    tree = EMPTY
    for path, digest in files.items():
        try:
            tree = algebra.put(store.trees, tree, path, file(digest))
        except algebra.NotADirectory:
            continue
    return tree


def flat(store: Store, tree: str) -> dict[str, str]:
    return {path: entry.digest for path, entry in store.trees.walk(tree) if entry.kind == "f"}


@few
@given(files=file_maps)
def test_a_tree_does_not_remember_the_order_it_was_written_in(store: Store, files: dict[str, str]) -> None:
    independent = flat(store, build(store, files))
    backwards = dict(reversed(independent.items()))
    assert build(store, independent) == build(store, backwards)


@few
@given(lower=file_maps, upper=file_maps)
def test_applying_the_difference_of_two_trees_to_one_gives_the_other(
    store: Store, lower: dict[str, str], upper: dict[str, str]
) -> None:
    below, above = build(store, lower), build(store, upper)
    changes = list(algebra.difference(store.trees, below, above))
    assert algebra.apply(store.trees, below, changes) == above


@few
@given(lower=file_maps, upper=file_maps)
def test_a_merge_has_all_of_what_is_laid_over_and_what_it_does_not_replace(
    store: Store, lower: dict[str, str], upper: dict[str, str]
) -> None:
    below, above = build(store, lower), build(store, upper)
    merged = flat(store, algebra.merge(store.trees, below, "", above))
    assert flat(store, above).items() <= merged.items()
    assert merged.keys() <= flat(store, below).keys() | flat(store, above).keys()


def test_times_do_not_count_for_a_tree_unless_they_are_pinned(store: Store) -> None:
    early, late = file("aa", mtime=1), file("aa", mtime=2)
    assert store.trees.save({"x": early}) == store.trees.save({"x": late})
    pinned = [store.trees.save({"x": entry._replace(pinned=True)}) for entry in (early, late)]
    assert pinned[0] != pinned[1]


def test_modes_and_owners_count_for_a_tree(store: Store) -> None:
    plain = store.trees.save({"x": file("aa")})
    assert store.trees.save({"x": file("aa", mode=0o755)}) != plain
    assert store.trees.save({"x": file("aa", uid=7)}) != plain


def test_a_symlink_leads_from_the_root_of_its_own_tree(store: Store) -> None:
    tree = build(store, {"usr/bin/env": "aa"})
    tree = algebra.put(store.trees, tree, "bin", Entry("l", 0o777, 0, 0, "/usr/bin", 0))
    found = algebra.lookup(store.trees, tree, "/bin/env")
    assert found is not None
    assert found.digest == "aa"
    assert algebra.locate(store.trees, tree, "/bin/new")[0] == "usr/bin/new"


def test_dots_never_climb_over_the_root(store: Store) -> None:
    tree = build(store, {"etc/passwd": "aa"})
    assert algebra.locate(store.trees, tree, "/../../etc/passwd")[0] == "etc/passwd"


def test_symlinks_that_lead_in_a_circle_are_an_error(store: Store) -> None:
    tree = algebra.put(store.trees, EMPTY, "a", Entry("l", 0o777, 0, 0, "b", 0))
    tree = algebra.put(store.trees, tree, "b", Entry("l", 0o777, 0, 0, "a", 0))
    with pytest.raises(algebra.TooManyLinks):
        algebra.locate(store.trees, tree, "/a")


def test_a_directory_that_becomes_a_file_and_back_leaves_nothing_of_what_it_was(store: Store) -> None:
    tree = build(store, {"d/old": "aa"})
    as_file = algebra.apply(store.trees, tree, [Put("d", file("bb"))])
    again = algebra.apply(store.trees, as_file, [Put("d", directory("")), Put("d/new", file("cc"))])
    assert flat(store, again) == {"d/new": "cc"}


def test_removing_what_is_not_there_changes_nothing(store: Store) -> None:
    tree = build(store, {"a": "aa"})
    assert algebra.remove(store.trees, tree, "nothing/here") == tree
    assert algebra.apply(store.trees, tree, [Remove("b")]) == tree


@pytest.mark.parametrize(
    ("include", "exclude", "kept"),
    [
        (["app"], [], {"app/main.py", "app/data/x.csv"}),
        (["app/**/*.py"], [], {"app/main.py"}),
        (["**/*.py"], [], {"app/main.py", "top.py"}),
        (["*.py"], [], {"top.py"}),
        ([], ["app"], {"top.py"}),
        ([], ["**/*.py"], {"app/data/x.csv"}),
        ([], ["app", "!app/main.py"], {"app/main.py", "top.py"}),
        (["app"], ["app/data"], {"app/main.py"}),
        (["./app//data/"], [], {"app/data/x.csv"}),
        (["/app/data"], [], set()),
    ],
)
def test_patterns_choose_as_docker_reads_them(
    store: Store, include: list[str], exclude: list[str], kept: set[str]
) -> None:
    tree = build(store, {"app/main.py": "aa", "app/data/x.csv": "bb", "top.py": "cc"})
    selected = algebra.select(store.trees, tree, Selection.parse(include, exclude))
    assert set(flat(store, selected)) == kept
