"""How often a property is tried: a taste of it always, all of it among the slow tests."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def tried(few, many):
    """The test runs with `examples` few and, slowly, many."""
    return pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.slow)])


def for_numbers(examples, check):
    """`check` holds for so many random numbers, always the same ones; the smallest that fails is shown."""

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(number=st.integers(0, 2**64))
    def each(number):
        check(number)

    each()
