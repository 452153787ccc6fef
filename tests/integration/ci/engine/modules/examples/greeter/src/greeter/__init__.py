"""Greets people."""

import enum
import typing
import uuid
from typing import Annotated

import dagger
from dagger import (
    DefaultPath,
    Doc,
    Ignore,
    Name,
    check,
    dag,
    enum_type,
    field,
    function,
    interface,
    object_type,
)


@enum_type
class Mood(enum.Enum):
    """How one feels."""

    GOOD = "good"
    """All is well"""

    BAD = "bad"


@interface
class Named(typing.Protocol):
    """Whoever has a name."""

    @function
    async def name(self) -> str: ...


@object_type
class Person:
    """Somebody."""

    name: str = field()

    @function
    def shout(self) -> str:
        """The name, loud."""
        return self.name.upper()


@object_type
class Checks:
    @function
    @check
    def fails(self) -> None:
        """Never passes"""
        raise ValueError("as it should")


@object_type
class Greeter:
    """Greets."""

    source: Annotated[dagger.Directory, DefaultPath("."), Ignore(["**/*.pyc", "pyproject.toml"])]
    greeting: Annotated[str, Doc("What to say")] = field(default="hello")

    @function
    def greet(self, name: Annotated[str, Doc("Whom")] = "world", mood: Mood = Mood.GOOD) -> str:
        """Greets somebody."""
        return f"{self.greeting}, {name}! ({mood.value})"

    @function
    def maybe(self, from_: Annotated[str | None, Name("from")] = None) -> str | None:
        return from_

    @function
    def moods(self) -> list[Mood]:
        return list(Mood)

    @function
    def people(self, names: list[str]) -> list[Person]:
        return [Person(name=name) for name in names]

    @function
    async def name_of(self, somebody: Named) -> str:
        return await somebody.name()

    @function
    def itself(self, somebody: Named) -> Named:
        return somebody

    @function
    def loud(self, person: Person) -> str:
        return person.shout()

    @function
    def file(self) -> dagger.File:
        return dag.directory().with_new_file("hello.txt", self.greeting).file("hello.txt")

    @function
    async def files(self) -> list[str]:
        return await self.source.glob("**/*")

    @function
    async def given(
        self,
        folder: Annotated[dagger.Directory, Ignore(["*.txt"])],
        note: Annotated[dagger.File, DefaultPath("/note.md")],
    ) -> list[str]:
        return [*await folder.entries(), await note.contents()]

    @function
    def fail(self) -> str:
        raise ValueError("no way")

    @function
    async def step_fails(self) -> str:
        script = ["sh", "-c", "echo out; echo err >&2; exit 3"]
        return await dag.container().from_("python:3.11-slim").with_exec(script).stdout()

    @function
    async def reveal(self, secret: dagger.Secret) -> str:
        print("the secret is", await secret.plaintext())
        print("another is", await dag.set_secret("own", "made-by-the-module").plaintext())
        return "told"

    @function
    async def host(self) -> list[str]:
        tried = (
            dag.host().directory("/etc").entries,
            dag.secret("cmd://id").plaintext,
            dag.secret("env://DAGGER_MODULE").plaintext,
            dag.secret("file://dagger.json").plaintext,
            self.source.file("dagger.json").contents,
            lambda: self.source.export("/tmp/exported"),
            dag.container()
            .from_("python:3.11-slim")
            .with_exec(["true"], experimental_privileged_nesting=True)
            .stdout,
        )
        said = []
        for each in tried:
            try:
                said.append(str(await each())[:30])
            except dagger.QueryError as error:
                said.append(str(error).partition(" is not")[0].partition(": a")[0])
        return said

    @function
    def unique(self) -> str:
        return uuid.uuid4().hex

    @function(cache="never")
    def always(self) -> str:
        return uuid.uuid4().hex

    @function(cache="session")
    def once(self) -> str:
        return uuid.uuid4().hex

    @function
    @check
    def passes(self) -> None:
        """Always passes"""

    @function
    def checks(self) -> Checks:
        return Checks()
