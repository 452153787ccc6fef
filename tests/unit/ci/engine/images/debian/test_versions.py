"""Versions sort as dpkg sorts them."""

import itertools

import pytest

from ci.engine.images.debian.version import key, satisfies

# deb-version(7), and the cases that dpkg's own tests have.
ASCENDING = [
    "0~~",
    "0~~a",
    "0~",
    "0",
    "0a",
    "0+b1",
    "1.0~rc1-1",
    "1.0-0.1",
    "1.0-1~bpo12+1",
    "1.0-1",
    "1.0-1+b1",
    "1.0-1+deb12u9",
    "1.0-1+deb12u10",
    "1.0.1-1",
    "1.2",
    "1.2a",
    "1.2+",
    "1.10",
    "1:0.1",
    "2:0",
]


@pytest.mark.parametrize(("lower", "higher"), list(itertools.pairwise(ASCENDING)))
def test_each_is_lower_than_the_next(lower, higher):
    assert key(lower) < key(higher)


@pytest.mark.parametrize(
    ("one", "other"), [("1.0", "1.0-0"), ("0:1", "1"), ("1.01", "1.1"), ("1.0a", "1.0a0")]
)
def test_these_are_the_same(one, other):
    assert key(one) == key(other)


def test_relations():
    assert satisfies("1.0", "<<", "1.1")
    assert satisfies("1.1", ">=", "1.1")
    assert not satisfies("1.1", ">>", "1.1")
    assert satisfies("2.36-9+deb12u9", ">=", "2.36")
