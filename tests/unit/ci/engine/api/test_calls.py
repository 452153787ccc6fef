"""Which calls of the API are told of, and how."""

import pytest

from ci.engine.api.calls import Calls, note
from ci.engine.api.execute import ROOT
from ci.engine.api.ids import Identified
from ci.engine.api.schema import ArgumentSpec, FieldSpec, type_ref
from ci.engine.events import DIGEST, OUTPUT, Event, Events, StepEnded, StepStarted


def field(owner: str, name: str, *arguments: str) -> FieldSpec:
    texts = {name: ArgumentSpec(name, name, type_ref("String!")) for name in arguments}
    return FieldSpec(owner, name, type_ref("String!"), texts)


class Thing:
    digest = "abc"


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def told(events) -> list[Event]:
    told: list[Event] = []
    events.subscribe(told.append, calls=True)
    return told


def started(told: list[Event]) -> list[StepStarted]:
    return [event for event in told if isinstance(event, StepStarted)]


def make(calls: Calls, spec: FieldSpec, **arguments: str) -> None:
    with calls.told(ROOT, spec, arguments):
        pass


def test_a_chain_that_is_sent_again_is_told_of_once(events, told):
    calls, spec = Calls(events), field("Query", "secret", "uri")
    for uri in ("env://A", "env://B", "env://A"):
        make(calls, spec, uri=uri)
    assert [event.name for event in started(told)] == ["Query.secret", "Query.secret"]
    assert all(event.call for event in started(told))


def test_what_does_something_for_the_world_to_see_is_told_of_each_time(events, told):
    calls, spec = Calls(events), field("Directory", "export", "path")
    for _ in range(2):
        make(calls, spec, path="out")
    assert [(event.name, event.call) for event in started(told)] == [
        ('Directory.export(path: "out")', False)
    ] * 2


def test_what_a_secret_is_set_to_is_not_even_in_a_digest(events, told):
    calls, spec = Calls(events), field("Query", "setSecret", "name", "plaintext")
    make(calls, spec, name="token", plaintext="hunter2")
    make(calls, spec, name="token", plaintext="hunter3")
    [only] = started(told)
    assert "hunter" not in str(only)


def test_a_url_is_shown_without_its_password(events, told):
    make(Calls(events), field("Query", "http", "url"), url="https://me:hunter2@example.com/x")
    assert started(told)[0].name == 'Query.http(url: "https://***@example.com/x")'


def test_a_call_says_what_it_is_and_which_object_it_gave(events, told):
    with Calls(events).told(ROOT, field("Query", "container"), {}) as step:
        note(step, Identified("Container", Thing()))
    assert str(started(told)[0].attributes[DIGEST]).startswith("sha256:")
    [ended] = (event for event in told if isinstance(event, StepEnded))
    assert ended.attributes[OUTPUT] == "sha256:abc"


def test_nothing_is_wanted_where_nobody_asks_but_what_people_like_to_see(events, request):
    calls = Calls(events)
    assert not calls.wanted(field("Query", "container"))
    assert calls.wanted(field("Host", "directory"))
    request.getfixturevalue("told")
    assert calls.wanted(field("Query", "container"))
    assert not calls.wanted(field("Container", "sync"))
