"""A chain of functions on the command line, against types that are told as a session tells them."""

import json

import pytest

from ci.engine.commands.arguments.flags import Flag
from ci.engine.commands.arguments.kinds import SWITCH
from ci.engine.commands.calls.chain import UsageError, walk
from ci.engine.commands.calls.definitions import Function, Provider, Type
from ci.engine.commands.calls.functions_of import left_out, offered
from ci.engine.commands.calls.values import asked, literal

STRING = {"kind": "STRING_KIND"}
OPTIONS = (Flag("json", SWITCH, short="j"), Flag("output", short="o"))


def object_(name, *, optional=False):
    return {"kind": "OBJECT_KIND", "optional": optional, "asObject": {"name": name}}


def argument(name, type_, **more):
    return {"name": name, "typeDef": type_, "defaultValue": None, **more}


def function(name, returns=STRING, *args, **more):
    return {"name": name, "returnType": returns, "args": list(args), "sourceModuleName": "hello", **more}


class Known:
    """Types by name, as a session would tell them."""

    def __init__(self, *told):
        self._told = {each["name"]: each for each in told}

    def provider(self, type_):
        return Provider.of(self._told.get(type_.single.name, {"name": type_.single.name}))

    def members(self, enum):
        return {"Mood": ("SAD", "HAPPY")}[enum]


HELLO = {
    "name": "Hello",
    "fields": [{"name": "greeting", "typeDef": STRING}],
    "functions": [
        function(
            "greetAll",
            STRING,
            argument("theNames", {"kind": "LIST_KIND", "asList": {"elementTypeDef": STRING}}),
        ),
        function("mood", STRING, argument("mood", {"kind": "ENUM_KIND", "asEnum": {"name": "Mood"}})),
        function("point", object_("Point"), argument("x", {"kind": "INTEGER_KIND"})),
        function("odd", STRING, argument("what", object_("Point"))),
        function("maybeOdd", STRING, argument("what", object_("Point", optional=True))),
        function("output", STRING, argument("output", STRING)),
        function("reads", STRING, argument("dir", object_("Directory"), ignore=["*.pyc"])),
    ],
}
POINT = {
    "name": "Point",
    "functions": [function("label", STRING, argument("prefix", STRING, defaultValue='"at"'))],
}
KNOWN = Known(HELLO, POINT)
START = Function.of(function("hello", object_("Hello"), argument("greeting", STRING, defaultValue='"Hi"')))


def walked(*words, **more):
    return walk(KNOWN, START, "dagger call", OPTIONS, words, **more)


def steps(*words):
    return [(step.field, dict(step.values)) for step in walked(*words).steps]


def test_each_function_has_the_flags_that_follow_it():
    assert steps("--greeting", "Yo", "point", "--x", "3", "label", "--prefix", "in") == [
        ("hello", {"greeting": "Yo"}),
        ("point", {"x": 3}),
        ("label", {"prefix": "in"}),
    ]


def test_flags_may_be_written_as_the_code_has_them():
    assert steps("greet-all", "--theNames", "a") == steps("greet-all", "--the-names", "a")


def test_the_commands_own_flags_may_stand_anywhere():
    assert walked("point", "--x", "3", "-j", "label", "-o", "out").options == {"json": True, "output": "out"}


def test_an_argument_hides_an_option_of_the_same_name():
    chain = walked("output", "--output", "mine")
    assert (dict(chain.steps[-1].values), dict(chain.options)) == ({"output": "mine"}, {})


@pytest.mark.parametrize(
    ("words", "message", "path"),
    [
        (["nope"], 'unknown command "nope" for "dagger call"', "dagger call"),
        (["greetAll"], 'unknown command "greetAll" for "dagger call"', "dagger call"),
        (
            ["point", "--x", "1", "nope"],
            'unknown command "nope" for "dagger call point"',
            "dagger call point",
        ),
        (["greeting", "x"], 'unknown command "x" for "dagger call greeting"', "dagger call greeting"),
        (["point", "label"], 'required flag(s) "x" not set', "dagger call point"),
        (["--nope"], "unknown flag: --nope", "dagger call"),
        (["odd"], 'unknown command "odd" for "dagger call"', "dagger call"),
        (
            ["mood", "--mood", "glad"],
            'invalid argument "glad" for "--mood" flag: value should be one of HAPPY,SAD',
            "dagger call mood",
        ),
    ],
)
def test_a_chain_that_is_none_is_told_with_the_command_whose_help_explains(words, message, path):
    with pytest.raises(UsageError) as raised:
        walked(*words)
    assert (str(raised.value), raised.value.level.path) == (message, path)


def test_help_needs_nothing_to_be_complete():
    chain = walked("point", "label", helping=True)
    assert (chain.last.path, [flag.name for flag in chain.last.flags]) == (
        "dagger call point label",
        ["prefix"],
    )


def test_functions_that_need_what_cannot_be_typed_are_left_out():
    hello = KNOWN.provider(Type("OBJECT_KIND", "Hello"))
    assert [each.command for each in left_out(hello)] == ["odd"]
    assert "maybe-odd" in [each.command for each in offered(hello)]


def test_an_enums_value_is_a_word_in_the_query_whatever_its_case():
    ((_, values),) = [step for step in steps("mood", "--mood", "happy") if step[0] == "mood"]
    assert literal(values["mood"], {}) == "HAPPY"


def test_a_directory_is_asked_for_by_its_address_without_what_the_function_ignores():
    ((_, values),) = [step for step in steps("reads", "--dir", "./src") if step[0] == "reads"]
    (wanted,) = asked(values["dir"])
    assert wanted.query == 'address(value: "./src") { directory(exclude: ["*.pyc"]) { sync } }'
    assert wanted.path == ("directory", "sync")
    assert literal(values["dir"], {wanted: "an-id"}) == '"an-id"'


@pytest.mark.parametrize("value", ['say "hi"', "back\\slash", "line\nbreak", "ünï"])
def test_texts_are_the_same_on_the_other_side(value):
    assert json.loads(literal(value, {})) == value


def test_what_is_for_sdks_or_by_id_is_no_command():
    names = ["currentModule", "loadContainerFromID", "node", "setSecret", "with", "container"]
    top = Provider.of({"name": "Query", "functions": [function(name) for name in names]})
    assert [each.command for each in offered(top)] == ["container"]
