"""Small values: env files, JSON, errors, ids, HTTP, and fields asked for wrongly."""

import dagger

from tests.parity.world import Room, World


def _env(world: World, **variables: str) -> dagger.EnvFile:
    made = world.dag.env_file()
    for name, value in variables.items():
        made = made.with_variable(name, value)
    return made


def _json(world: World, text: str) -> dagger.JSONValue:
    return world.dag.json().with_contents(dagger.JSON(text))


async def _names(env: dagger.EnvFile) -> list[str]:
    return [f"{await v.name()}={await v.value()}" for v in await env.variables()]


async def _error(world: World) -> list[str]:
    error = world.dag.error("x").with_value("code", dagger.JSON("3"))
    return [f"{await v.name()}={await v.value()}" for v in await error.values()]


async def _loaded(world: World) -> list[str]:
    return await world.dag.load_directory_from_id(dagger.DirectoryID(await world.tree("a").id())).entries()


async def _mistaken(world: World) -> list[str]:
    return await world.dag.load_directory_from_id(
        dagger.DirectoryID(await world.dag.container().id())
    ).entries()


async def _ids(world: World) -> bool:
    one, other = (
        world.tree("a").with_new_file("b", ""),
        world.directory().with_new_file("b", "").with_new_file("a", "a"),
    )
    return await one.id() == await other.id()


PIPELINES: Room = {
    "an env file's value": lambda w: _env(w, A="1", B="${A}2").get("B"),
    "an env file's value as it was given": lambda w: _env(w, A="1", B="${A}2").get("B", raw=True),
    "an env file's value that is not there": lambda w: _env(w, A="1").get("B"),
    "an env file's names": lambda w: _names(_env(w, B="2", A="1")),
    "an env file has a name": lambda w: _env(w, A="1").exists("A"),
    "an env file as a file": lambda w: _env(w, B="2 3", A="it's", C='"q"').as_file().contents(),
    "an env file's name as a file": lambda w: _env(w, A="1").as_file().name(),
    "an env file without a variable": lambda w: _names(_env(w, A="1", B="2").without_variable("A")),
    "an env file's namespace": lambda w: _names(_env(w, APP_A="1", OTHER="2", app_b="3").namespace("app")),
    "an env file's variable of itself": lambda w: _env(w, A="$A").get("A"),
    "an env file's variable of nothing": lambda w: _env(w, A="<$NOPE>").get("A"),
    "an env file's default": lambda w: _env(w, A="${NOPE:-else}").get("A"),
    "an env file's requirement": lambda w: _env(w, A="${NOPE:?must be}").get("A"),
    "an env file's command": lambda w: _env(w, A="$(echo x)").get("A"),
    "an env file's open quote": lambda w: _env(w, A='"open').get("A"),
    "an env file's open brace": lambda w: _env(w, A="${open").get("A"),
    "an env file's ampersand": lambda w: _env(w, A="a & b").get("A"),
    "an env file's variable twice": lambda w: _names(_env(w, A="1").with_variable("A", "2")),
    "a JSON string": lambda w: _json(w, '"a\\nb"').as_string(),
    "a JSON number": lambda w: _json(w, "12").as_integer(),
    "a JSON fraction as an integer": lambda w: _json(w, "1.5").as_integer(),
    "a JSON truth": lambda w: _json(w, "true").as_boolean(),
    "a JSON string as an integer": lambda w: _json(w, '"x"').as_integer(),
    "a JSON object as a string": lambda w: _json(w, "{}").as_string(),
    "a JSON object's fields": lambda w: _json(w, '{"a": 2}').fields(),
    "a JSON list's fields": lambda w: _json(w, "[1]").fields(),
    "a JSON field": lambda w: _json(w, '{"a": {"b": "x"}}').field(["a", "b"]).as_string(),
    "a JSON field that is not there": lambda w: _json(w, '{"a": 1}').field(["b"]).as_string(),
    "a JSON field is set": lambda w: (
        w.dag.json().with_field(["a", "b"], w.dag.json().new_integer(3)).contents()
    ),
    "JSON that is none": lambda w: _json(w, "{nope").contents(),
    "JSON, pretty": lambda w: _json(w, '{"b":[1,{}],"a":"ü"}').contents(pretty=True),
    "JSON, pretty, otherwise indented": lambda w: _json(w, '{"b":[1]}').contents(pretty=True, indent="\t"),
    "nothing in JSON": lambda w: w.dag.json().contents(),
    "an error's message": lambda w: w.dag.error("went wrong").message(),
    "an error's values": _error,
    "an id is loaded": _loaded,
    "an id of another type is loaded": _mistaken,
    "an id that is none is loaded": lambda w: w.dag.load_directory_from_id(
        dagger.DirectoryID("nope")
    ).entries(),
    "two ways to one object have two ids": _ids,
    "an http address that nobody answers": lambda w: w.dag.http("http://127.0.0.1:1/x").contents(),
    "an http address that is none": lambda w: w.dag.http("nope").contents(),
    "a field that is not there": lambda w: w.post("{ container { nope } }"),
    "a field of nothing": lambda w: w.post("{ nope }"),
    "an argument that is not there": lambda w: w.post('{ directory { file(nope: "x") { name } } }'),
    "an argument of another type": lambda w: w.post("{ directory { file(path: 3) { name } } }"),
    "an argument that is missing": lambda w: w.post("{ directory { file { name } } }"),
    "a leaf with fields": lambda w: w.post("{ version { x } }"),
    "an object without fields": lambda w: w.post("{ directory }"),
    "an enum's value that is none": lambda w: w.post(
        '{ container { withExec(args: ["x"], expect: NOPE) { id } } }'
    ),
    "a mutation": lambda w: w.post("mutation { nope }"),
    "the type's name": lambda w: w.post("{ __typename directory { __typename } }"),
    "aliases": lambda w: w.post("{ a: defaultPlatform b: defaultPlatform }"),
}
