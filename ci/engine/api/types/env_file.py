"""``EnvFile``: variables in a file, with references to each other."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from ci.engine.api.registry import Call, serves
from ci.engine.api.types.file import made, read
from ci.engine.graph.files import File
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.texts.envfile import EnvFile
from ci.engine.graph.texts.text import decoded


@dataclass(frozen=True)
class Variable(Digested):
    """A variable's name and value."""

    name: str
    value: str


def outside(call: Call) -> Callable[[str], str]:
    """Gives what a value refers to outside its file: a variable of the client's, "" when it is not set."""
    if call.client.module is not None:  # its code has no part in the host
        return lambda _name: ""
    return lambda name: os.environ.get(name, "")


@serves("Query", field="env_file")
def new_env_file(_call: Call, _parent: object, *, expand: bool | None = None) -> EnvFile:
    """An empty one; variables are always expanded."""
    del expand
    return EnvFile()


@serves("File")
async def as_env_file(call: Call, parent: File, *, expand: bool | None = None) -> EnvFile:
    """Its contents as variables, which are always expanded."""
    del expand
    return EnvFile.parse(decoded(await read(call, parent)))


@serves("EnvFile")
def with_variable(_call: Call, parent: EnvFile, *, name: str, value: str) -> EnvFile:
    """With a variable set."""
    return parent.having(name, value)


@serves("EnvFile")
def without_variable(_call: Call, parent: EnvFile, *, name: str) -> EnvFile:
    """Without a variable."""
    return parent.lacking(name)


@serves("EnvFile")
def namespace(_call: Call, parent: EnvFile, *, prefix: str) -> EnvFile:
    """The variables of a prefix, without it."""
    return parent.namespace(prefix)


@serves("EnvFile")
def variables(call: Call, parent: EnvFile, *, raw: bool | None = None) -> list[Variable]:
    """All variables, by name: their values, or what is written if ``raw``."""
    written = sorted(dict(parent.lines).items())
    return [Variable(name, text if raw else parent.value(name, outside(call))) for name, text in written]


@serves("EnvFile", field="get")
def get_value(call: Call, parent: EnvFile, *, name: str, raw: bool | None = None) -> str:
    """A variable's value, or what is written if ``raw``; "" when there is none."""
    written = dict(parent.lines)
    if name not in written:
        return ""
    return written[name] if raw else parent.value(name, outside(call))


@serves("EnvFile", field="exists")
def has_variable(_call: Call, parent: EnvFile, *, name: str) -> bool:
    """Whether there is a variable of that name."""
    return name in dict(parent.lines)


@serves("EnvFile")
def as_file(call: Call, parent: EnvFile) -> File:
    """The variables as a file."""
    return made(call, ".env", parent.text().encode("utf-8", "surrogateescape"))
