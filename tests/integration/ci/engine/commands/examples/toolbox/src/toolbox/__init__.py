"""A bit of everything that the command line has to call."""

import enum
from typing import Annotated

import dagger
from dagger import DefaultPath, Doc, Ignore, check, dag, enum_type, field, function, object_type


@enum_type
class Mood(enum.Enum):
    """How one may feel."""

    GOOD = "GOOD"
    BAD = "BAD"


@object_type
class Point:
    """A point."""

    x: int = field()
    name: str = field(default="origin")

    @function
    def label(self, prefix: str = "at") -> str:
        """The point as a text."""
        return f"{prefix} {self.x}"


@object_type
class Toolbox:
    """A bit of everything."""

    source: Annotated[dagger.Directory, DefaultPath("."), Ignore(["**", "!*.json"])]
    greeting: Annotated[str, Doc("What is said")] = field(default="Hello")

    @function
    def greet(self, name: Annotated[str, Doc("Who is greeted")] = "world", loud: bool = False) -> str:
        """Greet somebody.

        Nobody is left out.
        """
        text = f"{self.greeting}, {name}!"
        return text.upper() if loud else text

    @function
    def numbers(self, count: Annotated[int, Doc("How many")], factor: float = 1.5) -> list[float]:
        """Count in steps."""
        return [factor * n for n in range(count)]

    @function
    def words(self, words: list[str]) -> list[str]:
        """Say words again."""
        return words

    @function
    def point(self, x: int) -> Point:
        """Make a point."""
        return Point(x=x)

    @function
    def points(self) -> list[Point]:
        """Make two points."""
        return [Point(x=1), Point(x=2, name="other")]

    @function
    def mood(self, mood: Mood = Mood.GOOD) -> Mood:
        """Tell a mood."""
        return mood

    @function
    async def entries(self) -> list[str]:
        """List the module's own directory."""
        return await self.source.entries()

    @function
    async def inputs(self, file: dagger.File, folder: dagger.Directory, token: dagger.Secret) -> list[str]:
        """Tell what was given."""
        return [await file.contents(), *await folder.entries(), str(len(await token.plaintext()))]

    @function
    def nothing(self) -> None:
        """Do nothing."""

    @function
    def fails(self) -> dagger.Container:
        """Run a command that fails."""
        return dag.container().from_("busybox").with_exec(["sh", "-c", "echo out; echo err >&2; exit 7"])

    @function
    def tree(self) -> dagger.Directory:
        """Make a directory."""
        return dag.directory().with_new_file("a/b.txt", "b")

    @function
    def change(self, folder: dagger.Directory) -> dagger.Changeset:
        """Change a directory."""
        return folder.with_new_file("changed.txt", "changed").without_file("note.txt").changes(folder)

    @function
    @check
    def lint(self) -> None:
        """Look for faults, and find none."""

    @function
    @check
    def broken(self) -> None:
        """Look for faults, and find one."""
        raise ValueError("not clean")
