"""A small schema of its own, and what it takes to ask it something."""

import json
from dataclasses import dataclass

import pytest

from ci.engine.api.derivation import tables
from ci.engine.api.derivation.definitions import (
    Argument,
    Definitions,
    Enum,
    EnumValue,
    Field,
    Input,
    Object,
    Scalar,
)
from ci.engine.api.registry import Registry
from ci.engine.api.respond import Api, Request
from ci.engine.api.schema import Schema
from ci.engine.api.source import SchemaSource
from ci.engine.events import Events
from ci.engine.session import Session

ID = Field("id", "ID!")
COLOUR = Enum("Colour", (EnumValue("RED", "RED"), EnumValue("CRIMSON", "RED"), EnumValue("BLUE", "BLUE")))
SIZE = Input("Size", (Argument("width", "Int!"), Argument("unit", "String", '"cm"')))
BOX = Object(
    "Box",
    (
        ID,
        Field("name", "String!"),
        Field("sync", "ID!", expects="Box"),
        Field("inner", "Box!"),
        Field("maybe", "Box"),
        Field("boxes", "[Box!]!"),
        Field("names", "[String!]!"),
        Field(
            "painted",
            "Box!",
            (
                Argument("colour", "Colour", "BLUE"),
                Argument("size", "Size"),
                Argument("withBox", "ID", expects="Box"),
                Argument("allBoxes", "[ID!]", "[]", expects="Box"),
            ),
        ),
        Field("put", "Box!", (Argument("name", "String!"), Argument("times", "Int", "1"))),
        Field("unserved", "String!"),
        Field("refused", "String!"),
    ),
    ("Node", "Syncer"),
)
BALL = Object("Ball", (ID, Field("name", "String!")), ("Node",))
QUERY = Object(
    "Query",
    (
        ID,
        Field("box", "Box!"),
        Field("ball", "Ball!"),
        Field("node", "Node", (Argument("id", "ID!"),)),
        Field("loadBoxFromID", "Box!", (Argument("id", "BoxID!"),)),
    ),
    ("Node",),
)
DEFINITIONS = Definitions(
    (Scalar("BoxID"),),
    (COLOUR,),
    (SIZE,),
    (Object("Node", (ID,)), Object("Syncer", (ID, Field("sync", "ID!", expects="Syncer")), ("Node",))),
    (BALL, BOX, QUERY),
)


@dataclass(frozen=True, slots=True)
class Box:
    name: str = "box"


@dataclass(frozen=True, slots=True)
class Ball:
    name: str = "ball"


@pytest.fixture(scope="session")
def source(tmp_path_factory) -> SchemaSource:
    folder = tmp_path_factory.mktemp("schema")
    schema = tables.built(DEFINITIONS)
    (folder / "table.json").write_text(json.dumps(tables.table(DEFINITIONS, schema)))
    (folder / "introspection.json").write_text(json.dumps(tables.introspection(schema)))
    (folder / "schema.graphql").write_text(tables.sdl(DEFINITIONS))
    return SchemaSource(folder)


@pytest.fixture(scope="session")
def schema(source) -> Schema:
    return source.schema


@pytest.fixture
def registry() -> Registry:
    """Resolvers for the fields that most tests need."""
    registry = Registry()
    registry.add("Query", "box", lambda _call, _parent: Box())
    registry.add("Query", "ball", lambda _call, _parent: Ball())
    registry.add("Box", "name", lambda _call, parent: parent.name)
    registry.add("Box", "sync", lambda _call, parent: parent)
    registry.add("Box", "inner", lambda _call, parent: Box(parent.name + "'"))
    registry.add("Box", "put", lambda _call, _parent, *, name, times: Box(name * times))
    registry.add("Ball", "name", lambda _call, parent: parent.name)
    return registry


@pytest.fixture
async def session(tmp_path):
    async with Session(tmp_path, tmp_path, Events()) as session:
        yield session


@pytest.fixture
def api(source, registry, session) -> Api:
    return Api(source, registry, session)


@pytest.fixture
def ask(api):
    """Ask the small API; returns the response's document."""

    async def ask(query: str, operation: str | None = None, **variables: object) -> dict:
        return json.loads((await api.answer(Request(query, operation, variables))).body)

    return ask
