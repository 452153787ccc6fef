"""Cache keys: the same content by any way is the same key, and whatever a step can see makes another one."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ci.engine.graph.files import SCRATCH
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.graph.steps.execution import Exec, Given
from ci.engine.store import algebra
from ci.engine.store.index import Index
from ci.engine.store.tree import EMPTY, REGULAR, Entry, Snapshot, Trees

NAMES = st.sampled_from(["a", "b", "c/d", "c/e", "f/g/h"])
CONTENTS = st.sampled_from(["0" * 64, "1" * 64])
FILES = st.dictionaries(NAMES, CONTENTS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def built(trees: Trees, steps: list[tuple[str, str]]) -> str:
    tree = EMPTY
    for path, digest in steps:
        tree = algebra.put(trees, tree, path, Entry(REGULAR, 0o644, 0, 0, digest, 1))
    return tree


def key(step: Exec, tree: str, near: int | None = None) -> str:
    return step.key(Given(Snapshot(tree, near), {}, {}))


@given(FILES, st.randoms(use_true_random=False), st.lists(st.tuples(NAMES, CONTENTS)))
@settings(deadline=None, max_examples=30)
def test_the_same_files_by_any_way_are_the_same_key(tmp_path_factory, files, chance, detour) -> None:
    trees = Trees(Index(tmp_path_factory.mktemp("keys") / "index.sqlite"))
    step = Exec(SCRATCH, ("true",))
    straight = built(trees, sorted(files.items()))
    shuffled = [*files.items()]
    chance.shuffle(shuffled)
    # There and back: what is written over, and what is removed again, leaves nothing behind.
    around = built(trees, [*((name, digest) for name, digest in detour if name in files), *shuffled])
    apart = algebra.merge(trees, built(trees, shuffled[:2]), "", built(trees, shuffled[2:]))
    assert key(step, straight) == key(step, around, near=7) == key(step, apart)


@given(FILES, FILES)
@settings(deadline=None, max_examples=30)
def test_other_files_are_another_key(tmp_path_factory, one, other) -> None:
    trees = Trees(Index(tmp_path_factory.mktemp("keys") / "index.sqlite"))
    step = Exec(SCRATCH, ("true",))
    keys = [key(step, built(trees, [*files.items()])) for files in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)


@given(
    st.sampled_from(["args", "env", "cwd", "user", "stdin", "expect", "privileged", "nesting", "init"]),
    st.text(min_size=1),
)
def test_whatever_a_step_is_given_counts(what, text) -> None:
    step = Exec(SCRATCH, ("true",))
    value = {
        "args": ("true", text),
        "env": (("NAME", text),),
        "expect": "ANY",
        "privileged": True,
        "nesting": True,
        "init": False,
    }.get(what, f"/{text}")
    assert key(replace(step, **{what: value}), EMPTY) != key(step, EMPTY)


@given(VALUES, VALUES)
def test_two_values_have_one_fingerprint_only_when_they_are_the_same(one, other) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (typed(one) == typed(other))


def typed(value: object) -> object:
    """A value that is equal to another one only if it is of the same type: to Python, True is 1."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {name: typed(item) for name, item in value.items()}
    return type(value), value


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_arguments_are_not_run_together(one, other) -> None:
    keys = [key(Exec(SCRATCH, tuple(args)), EMPTY) for args in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
