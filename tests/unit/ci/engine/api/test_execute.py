"""How queries are run: values, order, errors and where they happened."""

from dataclasses import dataclass

import anyio
import pytest

from ci.engine.api.respond import Request
from ci.engine.errors import EngineError, ExecError


@dataclass(frozen=True, slots=True)
class Box:
    """A box that some resolvers here make; those of the fixtures make their own."""

    name: str = "box"


async def test_a_chain_of_fields_answers_with_its_last_value(ask):
    assert await ask("{ box { inner { inner { name } } } }") == {
        "data": {"box": {"inner": {"inner": {"name": "box''"}}}}
    }


async def test_aliases_name_the_keys_and_keep_the_order_asked_for(ask, registry):
    async def slow(_call, parent):
        await anyio.lowlevel.checkpoint()
        return parent

    registry.add("Box", "maybe", slow)
    answer = await ask("{ box { z: maybe { name } a: name __typename } }")
    assert list(answer["data"]["box"]) == ["z", "a", "__typename"]
    assert answer["data"]["box"] == {"z": {"name": "box"}, "a": "box", "__typename": "Box"}


async def test_fields_side_by_side_run_at_the_same_time(ask, registry):
    first, second = anyio.Event(), anyio.Event()

    async def meet(mine, other):
        mine.set()
        with anyio.fail_after(5):
            await other.wait()
        return Box()

    registry.add("Box", "maybe", lambda _c, _p: meet(first, second))
    registry.add("Box", "painted", lambda _c, _p, **_: meet(second, first))
    assert "errors" not in await ask("{ box { maybe { name } painted { name } } }")


async def test_a_null_object_ends_its_chain_in_null(ask, registry):
    registry.add("Box", "maybe", lambda _call, _parent: None)
    assert await ask("{ box { maybe { inner { name } } } }") == {"data": {"box": {"maybe": None}}}


async def test_lists_of_objects_and_of_leaves(ask, registry):
    registry.add("Box", "boxes", lambda _call, _parent: (Box("a"), Box("b")))
    registry.add("Box", "names", lambda _call, _parent: ["x"])
    answer = await ask("{ box { boxes { name inner { name } } names } }")
    assert answer["data"]["box"] == {
        "boxes": [{"name": "a", "inner": {"name": "a'"}}, {"name": "b", "inner": {"name": "b'"}}],
        "names": ["x"],
    }


async def test_an_id_names_its_object_by_node_and_by_load(ask):
    box = (await ask('{ box { put(name: "x") { id sync } } }'))["data"]["box"]["put"]
    assert box["sync"] == box["id"]
    loaded = await ask(
        """query($id: ID!, $box: BoxID!) {
            node(id: $id) { id ... on Box { name } }
            loadBoxFromID(id: $box) { name }
        }""",
        id=box["id"],
        box=box["id"],
    )
    assert loaded == {"data": {"node": {"id": box["id"], "name": "x"}, "loadBoxFromID": {"name": "x"}}}


async def test_a_fragment_is_taken_only_for_the_types_it_is_on(ask):
    ball = (await ask("{ ball { id } }"))["data"]["ball"]["id"]
    query = """query($id: ID!) { node(id: $id) { ... on Box { name } ... on Syncer { sync } ...F } }
    fragment F on Node { i: id }"""
    assert await ask(query, id=ball) == {"data": {"node": {"i": ball}}}


async def test_arguments_arrive_as_python_names_with_enums_defaults_and_loaded_objects(ask, registry):
    seen = {}

    def painted(_call, _parent, **given):
        if "with_box" in given:
            given["with_box"] = given["with_box"].name
        seen.update(given, all_boxes=[box.name for box in given["all_boxes"]])
        return Box()

    registry.add("Box", "painted", painted)
    id_ = (await ask('{ box { put(name: "other") { id } } }'))["data"]["box"]["put"]["id"]
    query = """query($other: ID) {
        box { painted(colour: CRIMSON, size: {width: 3}, withBox: $other, allBoxes: [$other]) { name } }
    }"""
    await ask(query, other=id_)
    assert seen == {
        "colour": "RED",
        "size": {"width": 3, "unit": "cm"},
        "with_box": "other",
        "all_boxes": ["other"],
    }
    seen.clear()
    await ask("{ box { painted { name } } }")
    assert seen == {"colour": "BLUE", "all_boxes": []}


@pytest.mark.parametrize("field", ["painted(withBox: $id) { name }", "painted(allBoxes: [$id]) { name }"])
async def test_an_id_of_another_type_is_refused(ask, registry, field):
    registry.add("Box", "painted", lambda *_args, **_kwargs: pytest.fail("called"))
    ball = (await ask("{ ball { id } }"))["data"]["ball"]["id"]
    answer = await ask(f"query($id: ID!) {{ box {{ {field} }} }}", id=ball)
    assert answer["errors"] == [{"message": 'expected "Box" ID, got Ball ID', "path": ["box", "painted"]}]


async def test_loading_an_id_of_another_type_is_refused(ask):
    ball = (await ask("{ ball { id } }"))["data"]["ball"]["id"]
    answer = await ask("query($id: BoxID!) { loadBoxFromID(id: $id) { name } }", id=ball)
    assert answer["errors"][0]["message"] == "load Box: expected Box, got Ball"


@pytest.mark.parametrize("id_", ["", "nonsense", "Qm94QDEyMw==", "x" * 500])
async def test_an_id_that_the_session_did_not_give_out_is_one_clear_error(ask, id_):
    answer = await ask("query($id: ID!) { node(id: $id) { id } }", id=id_)
    [error] = answer["errors"]
    assert "not one that this session gave out" in error["message"]
    assert len(error["message"]) < 300


async def test_an_error_has_the_path_of_its_field_and_no_data(ask, registry):
    def fail(_call, _parent):
        raise EngineError("no inner box")

    registry.add("Box", "maybe", fail)
    assert await ask("{ box { there: inner { maybe { name } } } }") == {
        "errors": [{"message": "no inner box", "path": ["box", "there", "maybe"]}],
        "data": None,
    }


async def test_every_field_that_failed_is_told(ask, registry):
    def boxes(_call, _parent):
        return [Box("good"), Box("bad"), Box("worse")]

    def maybe(_call, parent):
        if parent.name != "good":
            raise EngineError(f"{parent.name} box")
        return parent

    registry.add("Box", "boxes", boxes)
    registry.add("Box", "maybe", maybe)
    answer = await ask("{ box { boxes { maybe { name } } } }")
    assert sorted((e["message"], e["path"]) for e in answer["errors"]) == [
        ("bad box", ["box", "boxes", 1, "maybe"]),
        ("worse box", ["box", "boxes", 2, "maybe"]),
    ]


async def test_a_failed_command_carries_what_sdks_make_their_error_of(ask, registry):
    async def maybe(_call, _parent):
        raise ExecError(["sh", "-c", "exit 3"], 3, "out\n", "err\n")

    registry.add("Box", "maybe", maybe)
    [error] = (await ask("{ box { maybe { name } } }"))["errors"]
    assert error["message"] == "exit code: 3"
    assert error["extensions"] == {
        "_type": "EXEC_ERROR",
        "cmd": ["sh", "-c", "exit 3"],
        "exitCode": 3,
        "stdout": "out",
        "stderr": "err",
    }


async def test_errors_of_tasks_in_a_resolver_come_out_of_their_group(ask, registry):
    async def fail():
        raise EngineError("in a task")

    async def maybe(_call, _parent):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fail)

    registry.add("Box", "maybe", maybe)
    assert [e["message"] for e in (await ask("{ box { maybe { name } } }"))["errors"]] == ["in a task"]


async def test_a_fault_of_the_engine_is_logged_and_not_shown(ask, registry, capsys):
    def maybe(_call, _parent):
        raise KeyError("/inner/secret/path")

    registry.add("Box", "maybe", maybe)
    [error] = (await ask("{ box { maybe { name } } }"))["errors"]
    assert error["message"].startswith("internal error: KeyError")
    assert "/inner/secret/path" not in str(error)
    assert "/inner/secret/path" in capsys.readouterr().err


async def test_a_resolver_that_breaks_a_non_null_promise_is_a_fault(ask, registry, capsys):
    registry.add("Box", "painted", lambda _call, _parent, **_: None)
    [error] = (await ask("{ box { painted { name } } }"))["errors"]
    assert error["message"].startswith("internal error")
    assert "Box.painted" in capsys.readouterr().err


async def test_a_field_without_a_resolver_is_named_and_never_guessed(ask, registry):
    registry.refusals["Box", "refused"] = "it would need a GPU"
    answer = await ask("{ box { unserved refused } }")
    assert sorted(e["message"] for e in answer["errors"]) == [
        "Box.refused is not served by the embedded engine: it would need a GPU",
        "Box.unserved is not served by the embedded engine",
    ]


async def test_a_chain_of_thousands_of_fields_is_served_and_a_longer_one_refused(api):
    async def chain(depth: int) -> bytes:
        query = "{ box {" + "inner {" * depth + "name" + "}" * (depth + 2)
        return (await api.answer(Request(query))).body

    assert (await chain(4_900)).startswith(b'{"data":{"box":{"inner":{"inner":')
    assert b"the query is nested too deep: over 5000 levels" in await chain(6_000)
    assert b"the query is nested too deep: over 5000 levels" in await chain(500_000)
    assert (await chain(1)).startswith(b'{"data"')


async def test_text_that_is_no_text_comes_out_with_replacement_characters(ask, registry):
    registry.add("Box", "names", lambda _call, _parent: [b"a\xffb".decode("utf-8", "surrogateescape")])
    assert (await ask("{ box { names } }"))["data"]["box"]["names"] == ["a\ufffdb"]
    assert (await ask("query($n: String!) { box { put(name: $n) { name } } }", n="\ud800!"))["data"] == {
        "box": {"put": {"name": "\ufffd!"}}
    }
