"""Objects implement the interfaces whose fields they have."""

from ci.engine.api.schema import ArgumentSpec, FieldSpec, ObjectSpec, type_ref
from ci.engine.modules.schema.implementing import implementing


def composite(name: str, **fields: str | tuple[str, dict[str, str]]) -> ObjectSpec:
    """A type; a field is its type, or its type and those of its arguments."""
    made = {}
    for field, what in fields.items():
        type_, given = (what, {}) if isinstance(what, str) else what
        arguments = {a: ArgumentSpec(a, a, type_ref(t)) for a, t in given.items()}
        made[field] = FieldSpec(name, field, type_ref(type_), arguments)
    return ObjectSpec(name, frozenset(), made)


def found(objects: list[ObjectSpec], interfaces: list[ObjectSpec]) -> dict[str, set[str]]:
    known = implementing({o.name: o for o in objects}, {i.name: i for i in interfaces})
    return {name: set(each) for name, each in known.items()}


def test_an_object_with_all_fields_implements_an_interface() -> None:
    duck, rock = composite("Duck", quack="String!", swim="Int!"), composite("Rock", swim="Int!")
    assert found([duck, rock], [composite("Quacks", quack="String!")]) == {
        "Duck": {"Quacks"},
        "Rock": set(),
        "Quacks": set(),
    }


def test_arguments_have_to_be_the_same_and_more_of_them_optional() -> None:
    wanted = composite("Says", say=("String!", {"what": "String!"}))
    good = composite("Good", say=("String!", {"what": "String!", "how": "String"}))
    asking = composite("Asking", say=("String!", {"what": "String!", "how": "String!"}))
    other = composite("Other", say=("String!", {"what": "Int!"}))
    known = found([good, asking, other], [wanted])
    assert known["Good"] == {"Says"}
    assert known["Asking"] == known["Other"] == set()


def test_a_field_may_return_what_implements_what_is_asked_for() -> None:
    interface = composite("Chains", next="Chains!")
    assert found([composite("Link", next="Link!")], [interface])["Link"] == {"Chains"}


def test_types_that_only_seem_to_fit_each_other_do_not() -> None:
    a, b = composite("A", other="B!", same="Int!"), composite("B", other="A!")
    interface = composite("I", other="I!", same="Int!")
    assert found([a, b], [interface]) == {"A": set(), "B": set(), "I": set()}


def test_an_interface_may_implement_another() -> None:
    assert found([], [composite("Wide", a="Int!", b="Int!"), composite("Narrow", a="Int!")])["Wide"] == {
        "Narrow"
    }
