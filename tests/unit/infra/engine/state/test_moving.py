"""Resources move between stacks with all that they need, and without what they can't refer to any more."""

import pytest

from infra.engine.state.errors import StateError
from infra.engine.state.model import ROOT_STACK_TYPE, Resource, Snapshot
from infra.engine.state.moving import Destination, move

ROOT = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:random::default"
BOX = "urn:pulumi:dev::shop::t:i:Box::box"
PET = "urn:pulumi:dev::shop::t:i:Box$random:index:Pet::pet"
USER = "urn:pulumi:dev::shop::random:index:Pet::user"


def state():
    return Snapshot(
        resources=(
            Resource(ROOT, ROOT_STACK_TYPE, custom=False),
            Resource(PROVIDER, "pulumi:providers:random", custom=True, id="1", inputs={"version": "4"}),
            Resource(BOX, "t:i:Box", custom=False, parent=ROOT),
            Resource(PET, "random:index:Pet", custom=True, id="p", parent=BOX, provider=f"{PROVIDER}::1"),
            Resource(
                USER,
                "random:index:Pet",
                custom=True,
                id="u",
                parent=ROOT,
                provider=f"{PROVIDER}::1",
                dependencies=(PET,),
                property_dependencies={"prefix": (PET,)},
            ),
        )
    )


def moved(*urns, **options):
    return move(state(), Destination(Snapshot(), "prod", "bank"), urns, **options)


def test_a_component_takes_its_children_and_their_provider_along():
    after = moved(BOX)
    assert [each.urn for each in after.destination.resources] == [
        "urn:pulumi:prod::bank::pulumi:pulumi:Stack::bank-prod",
        "urn:pulumi:prod::bank::pulumi:providers:random::default",
        "urn:pulumi:prod::bank::t:i:Box::box",
        "urn:pulumi:prod::bank::t:i:Box$random:index:Pet::pet",
    ]
    pet = after.destination.resources[-1]
    assert pet.parent == "urn:pulumi:prod::bank::t:i:Box::box"
    assert pet.provider == "urn:pulumi:prod::bank::pulumi:providers:random::default::1"
    assert [each.urn for each in after.source.resources] == [ROOT, PROVIDER, USER]


def test_what_stays_behind_depends_on_it_no_more_and_that_is_told():
    after = moved(PET)
    assert [str(cut) for cut in after.cut_behind] == [
        f"{USER} has a dependency on {PET}",
        f"{USER} (prefix) has a property dependency on {PET}",
    ]
    assert after.source.resources[-1].dependencies == ()
    assert not after.cut_ahead


def test_what_moves_depends_no_more_on_what_stays_and_hangs_below_the_stack():
    after = moved(USER)
    user = after.destination.resources[-1]
    assert (user.dependencies, user.property_dependencies) == ((), {})
    assert user.parent == after.destination.resources[0].urn
    assert len(after.cut_ahead) == 2


def test_parents_come_along_if_asked():
    after = moved(PET, parents=True)
    assert after.resources == (BOX, PET)


def test_a_provider_that_is_there_already_serves():
    first = moved(PET)
    again = move(first.source, Destination(first.destination, "prod", "bank"), [USER])
    assert sum(each.type == "pulumi:providers:random" for each in again.destination.resources) == 1


@pytest.mark.parametrize(
    ("urn", "told"),
    [
        ("urn:pulumi:dev::shop::t:i:Box::none", "no resources found to move"),
        (PROVIDER, "cannot move providers"),
    ],
)
def test_what_cannot_move_is_refused(urn, told):
    with pytest.raises(StateError, match=told):
        moved(urn)


def test_a_resource_of_that_name_in_the_destination_is_not_overwritten():
    first = moved(PET)
    with pytest.raises(StateError, match="already exists in destination stack"):
        move(state(), Destination(first.destination, "prod", "bank"), [PET])
