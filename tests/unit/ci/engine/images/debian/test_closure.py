"""What a set of packages needs, and nothing else."""

import pytest

from ci.engine.images import BootstrapFailed
from ci.engine.images.debian.depends import closure
from ci.engine.images.debian.packages import Index, Relation, relations


def index(*stanzas: str) -> Index:
    """An index of packages, each `name version; Field: value; ...`."""
    found = Index()
    texts = []
    for text in stanzas:
        first, *fields = text.split("; ")
        name, version = first.split()
        lines = [
            f"Package: {name}",
            f"Version: {version}",
            *fields,
            f"Filename: {name}.deb",
            "Size: 1",
            "SHA256: 0",
        ]
        texts.append("\n".join(lines))
    found.add("\n\n".join(texts) + "\n", "http://mirror")
    return found


def names(packages) -> list[str]:
    return [package.name for package in packages]


def test_dependencies_are_followed_to_their_end_and_recommendations_are_not():
    found = index("a 1; Depends: b (>= 1), c; Recommends: z", "b 1; Pre-Depends: d", "c 1", "d 1", "z 1")
    assert names(closure(found, ["a"])) == ["a", "b", "c", "d"]


def test_essential_and_required_packages_are_always_there():
    found = index(
        "a 1", "dash 1; Essential: yes", "passwd 1; Priority: required", "vim 1; Priority: optional"
    )
    assert names(closure(found, ["a"])) == ["a", "dash", "passwd"]


def test_circles_come_to_an_end():
    assert names(closure(index("a 1; Depends: b", "b 1; Depends: a"), ["a"])) == ["a", "b"]


def test_the_first_alternative_that_will_do_is_taken():
    found = index("a 1; Depends: nothing | old (>= 2) | b | c", "old 1", "b 1", "c 1")
    assert names(closure(found, ["a"])) == ["a", "b"]


def test_an_alternative_that_is_there_already_is_enough():
    found = index("a 1; Depends: b | c", "b 1", "c 1")
    assert names(closure(found, ["c", "a"])) == ["a", "c"]


def test_a_virtual_package_is_provided_by_the_most_important():
    found = index(
        "a 1; Depends: awk",
        "gawk 1; Priority: optional; Provides: awk",
        "mawk 1; Priority: standard; Provides: awk",
    )
    assert names(closure(found, ["a"])) == ["a", "mawk"]


def test_a_versioned_dependency_needs_a_versioned_provision():
    found = index("a 1; Depends: abi (>= 2)", "p 1; Provides: abi", "q 1; Provides: abi (= 2)")
    assert names(closure(found, ["a"])) == ["a", "q"]


def test_the_newest_of_several_versions_is_taken():
    found = index("a 1.9", "a 1.10")
    found.add("Package: a\nVersion: 1.10+deb1\nFilename: a\nSize: 1\nSHA256: 0\n", "http://security")
    (package,) = closure(found, ["a"])
    assert (package.version, package.source) == ("1.10+deb1", "http://security")


def test_what_cannot_be_satisfied_is_said():
    with pytest.raises(BootstrapFailed, match=r"a 1 needs b \(>= 2\) or c, which is not there"):
        closure(index("a 1; Depends: b (>= 2) | c", "b 1"), ["a"])
    with pytest.raises(BootstrapFailed, match="no package 'x'"):
        closure(index("a 1"), ["x"])


def test_packages_that_exclude_each_other_are_not_installed_together():
    with pytest.raises(BootstrapFailed, match="a 1 excludes b 1"):
        closure(index("a 1; Depends: b; Breaks: b (<< 2)", "b 1"), ["a"])


def test_a_package_may_replace_the_virtual_one_it_provides():
    assert names(closure(index("a 1; Provides: mta; Conflicts: mta"), ["a"])) == ["a"]


def test_relations_are_read_with_qualifiers_and_spaces():
    found = list(relations("python3:any (>=3.5~) , libc6 (>= 2.36)|libc6.1, g++ (= 4:12.2-1)"))
    assert found == [
        (Relation("python3", ">=", "3.5~"),),
        (Relation("libc6", ">=", "2.36"), Relation("libc6.1")),
        (Relation("g++", "=", "4:12.2-1"),),
    ]
