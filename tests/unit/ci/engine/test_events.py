"""What happens while a session works: what is a part of what, and who is told."""

import anyio
import pytest

from ci.engine.events import Event, Events, StepEnded, StepStarted
from ci.engine.trace import HERE, Place


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def events(told) -> Events:
    events = Events()
    events.subscribe(told.append)
    return events


def test_a_step_is_a_part_of_the_one_around_it_also_in_another_task(events, told):
    async def inner() -> None:
        with events.step("inner"):
            pass

    async def outer() -> None:
        with events.step("outer"):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(inner)

    anyio.run(outer)
    outside, inside = (event for event in told if isinstance(event, StepStarted))
    assert (outside.parent, inside.parent) == (None, outside.id)
    assert outside.place == events.top
    assert inside.place is not None
    assert (inside.place.trace, inside.place.span) == (events.top.trace, outside.id)
    assert HERE.get() is None


def test_a_step_ends_with_the_first_cause_of_a_failure(events, told):
    with pytest.raises(ExceptionGroup), events.step("x"):
        raise ExceptionGroup("several", [ValueError("the cause"), ValueError("another")])
    assert [event.error for event in told if isinstance(event, StepEnded)] == ["the cause"]


def test_a_step_that_is_canceled_says_so(events, told):
    async def canceled() -> None:
        with anyio.move_on_after(0.001), events.step("x"):
            await anyio.sleep_forever()

    anyio.run(canceled)
    [ended] = (event for event in told if isinstance(event, StepEnded))
    assert ended.canceled
    assert ended.error == "canceled"


def test_calls_are_told_to_those_who_ask_for_them_and_are_no_steps_around_others(events, told):
    everything: list[Event] = []
    stop = events.subscribe(everything.append, calls=True)
    assert events.traced
    with events.step("outer"), events.step("Query.x", call=True), events.step("inner"):
        pass
    outer, inner = (event for event in told if isinstance(event, StepStarted))
    _, call, same = (event for event in everything if isinstance(event, StepStarted))
    assert same == inner
    assert inner.parent == outer.id
    assert inner.place is not None
    assert inner.place.span == call.id
    stop()
    assert not events.traced


def test_no_secret_is_in_a_name_or_an_error(events, told):
    events.scrub = lambda text: text.replace("hunter2", "***")
    with pytest.raises(ValueError, match="hunter2"), events.step("log in with hunter2"):
        raise ValueError("hunter2 is wrong")
    assert "hunter2" not in str(told)


def test_what_a_request_asks_for_is_where_its_header_says(events, told):
    HERE.set(Place.parse(f"00-{'a' * 32}-{'b' * 16}-01"))
    try:
        with events.step("x"):
            pass
    finally:
        HERE.set(None)
    [started] = (event for event in told if isinstance(event, StepStarted))
    assert started.parent == "b" * 16
