"""Targets: URNs and globs of them."""

import pytest

from infra.engine.deploy.planning.targets import Targets

URN = "urn:pulumi:dev::shop::a:b:C$d:e:F::name"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (URN, True),
        ("**::name", True),
        ("**", True),
        ("*::name", False),
        ("urn:pulumi:dev::shop::**::na*", True),
        ("urn:pulumi:dev::*::a:b:C$d:e:*::name", True),
        ("**::other", False),
    ],
)
def test_a_glob_stays_within_a_part_unless_doubled(pattern, matches):
    assert (URN in Targets([pattern])) is matches


def test_no_targets_are_all_of_them_and_stay_so():
    everything = Targets()
    everything.add("urn:other")
    assert not everything.constrained
    assert URN in everything


def test_a_copy_grows_by_itself():
    targets = Targets(["urn:x"])
    twin = targets.copy()
    twin.add(URN)
    assert URN in twin
    assert URN not in targets
