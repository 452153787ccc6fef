"""Values of arguments of every kind: what is asked of the session for them."""

import pytest

from ci.engine.commands.calls.definitions import Argument, Type
from ci.engine.commands.calls.values import UnsupportedError, kind_of, literal, supported


def of(kind, name="", element=None, argument="it"):
    return Argument(argument, Type(kind, name, element=element))


def read(argument, text):
    return kind_of(argument, lambda _enum: ("A", "B")).read(text)


@pytest.mark.parametrize(
    ("name", "text", "query", "path"),
    [
        ("Container", "alpine:3", 'address(value: "alpine:3") { container { sync } }', ("container", "sync")),
        ("Directory", "~/src", 'address(value: "~/src") { directory { sync } }', ("directory", "sync")),
        ("File", "/etc/hosts", 'address(value: "/etc/hosts") { file { sync } }', ("file", "sync")),
        ("Secret", "env:TOKEN", 'address(value: "env:TOKEN") { secret { id } }', ("secret", "id")),
        (
            "Service",
            "tcp://localhost:80",
            'address(value: "tcp://localhost:80") { service { start } }',
            ("service", "start"),
        ),
        ("Socket", "/run/a.sock", 'address(value: "/run/a.sock") { socket { id } }', ("socket", "id")),
        (
            "GitRepository",
            "https://example.com/a.git",
            'address(value: "https://example.com/a.git") { gitRepository { id } }',
            ("gitRepository", "id"),
        ),
        (
            "GitRef",
            "https://example.com/a#main",
            'address(value: "https://example.com/a#main") { gitRef { id } }',
            ("gitRef", "id"),
        ),
        ("CacheVolume", "pip", 'cacheVolume(key: "pip") { id }', ("id",)),
        ("ModuleSource", "./m", 'moduleSource(refString: "./m") { sync }', ("sync",)),
        ("Module", "./m", 'moduleSource(refString: "./m") { asModule { sync } }', ("asModule", "sync")),
    ],
)
def test_an_object_is_asked_for_by_what_was_typed(name, text, query, path):
    value = read(of("OBJECT_KIND", name), text)
    assert (value.query, value.path) == (query, path)


@pytest.mark.parametrize(
    ("argument", "text", "written"),
    [
        (of("INPUT_KIND", "PortForward"), "8080:80", "{frontend: 8080, backend: 80}"),
        (of("INPUT_KIND", "BuildArg"), "A=b=c", '{name: "A", value: "b=c"}'),
        (of("SCALAR_KIND", "Platform"), "linux/arm64", '"linux/arm64"'),
        (of("SCALAR_KIND", "JSON"), '{"a": 1}', '"{\\"a\\": 1}"'),
        (of("LIST_KIND", element=Type("ENUM_KIND", "E")), "a,B", "[A, B]"),
        (of("BOOLEAN_KIND"), "true", "true"),
        (of("FLOAT_KIND"), "2.5", "2.5"),
    ],
)
def test_other_values_are_written_into_the_query(argument, text, written):
    assert literal(read(argument, text), {}) == written


@pytest.mark.parametrize(
    ("argument", "text", "message"),
    [
        (
            of("INPUT_KIND", "PortForward"),
            "80",
            'portForward setting not in the form of frontend:backend: "80"',
        ),
        (of("INPUT_KIND", "PortForward"), "a:80", 'portForward frontend not a valid integer: "a"'),
        (of("INPUT_KIND", "BuildArg"), "A", "A must be formatted as name=value"),
        (of("SCALAR_KIND", "Platform"), "", "platform cannot be empty"),
        (of("OBJECT_KIND", "CacheVolume"), "", "cacheVolume name cannot be empty"),
        (of("OBJECT_KIND", "Module"), "", "module ref cannot be empty"),
        (of("ENUM_KIND", "E"), "c", "value should be one of A,B"),
    ],
)
def test_what_cannot_be_a_value_is_told(argument, text, message):
    with pytest.raises(ValueError, match=r".") as raised:
        read(argument, text)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "argument",
    [
        of("OBJECT_KIND", "Point"),
        of("OBJECT_KIND", "Container", argument="id"),
        of("LIST_KIND", element=Type("LIST_KIND", element=Type("STRING_KIND"))),
        of("LIST_KIND", element=Type("OBJECT_KIND", "GitRef")),
        of("INPUT_KIND", "PipelineLabel"),
        of("INTERFACE_KIND", "Duck"),
    ],
)
def test_what_cannot_be_typed_is_not_supported(argument):
    assert not supported(argument)
    with pytest.raises(UnsupportedError):
        kind_of(argument, lambda _enum: ())
