"""A Dockerfile's stages: what each starts from, and which arguments come before them.

Source of the rules: the Dockerfile reference, "FROM" and "Understand how ARG and FROM interact".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ci.engine.dockerfile.errors import DockerfileError
from ci.engine.dockerfile.reader import Instruction
from ci.engine.dockerfile.words import expanded, split


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its name ("" for none), its base (an image, or a stage before it), its instructions."""

    name: str
    base: str
    platform: str
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Build:
    """All stages, and the values of the arguments that stand before the first."""

    stages: tuple[Stage, ...]
    arguments: Mapping[str, str]

    def named(self, name: str, before: int | None = None) -> int | None:
        """The stage of a name, the latest one before stage ``before``; None when there is none."""
        limit = len(self.stages) if before is None else before
        positions = range(limit - 1, -1, -1)
        return next((each for each in positions if self.stages[each].name == name.lower()), None)

    def index(self, name: str) -> int | None:
        """The stage of a name or number; None when there is none."""
        found = self.named(name)
        if found is None and name.isdigit() and int(name) < len(self.stages):
            return int(name)
        return found

    def target(self, name: str) -> int:
        """The stage to build: the last one for "".

        Raises:
            DockerfileError: there is none of that name.
        """
        found = self.index(name) if name else len(self.stages) - 1
        if found is None:
            raise DockerfileError(f'target stage "{name}" could not be found')
        return found


def staged(
    instructions: Sequence[Instruction], given: Mapping[str, str], automatic: Mapping[str, str]
) -> Build:
    """The stages of a Dockerfile; ``given`` are build arguments, ``automatic`` those of the platform.

    Raises:
        DockerfileError: the first instruction is no FROM, or a FROM makes no sense.
    """
    arguments = dict(automatic)
    stages: list[tuple[str, str, str, list[Instruction]]] = []
    for each in instructions:
        if each.keyword == "FROM":
            stages.append((*_start(each, arguments), []))
        elif stages:
            stages[-1][3].append(each)
        elif each.keyword == "ARG":
            for word in split(each.rest, each.escape):
                name, equals, default = word.partition("=")
                if name in given:
                    arguments[name] = given[name]
                elif equals:
                    arguments[name] = expanded(default, arguments, each.escape)
        else:
            raise DockerfileError(f"no build stage in current context: {each.keyword} must come after a FROM")
    if not stages:
        raise DockerfileError("no build stage in current context: there is no FROM")
    made = tuple(Stage(name, base, platform, tuple(inner)) for name, base, platform, inner in stages)
    return Build(made, arguments)


def _start(each: Instruction, arguments: Mapping[str, str]) -> tuple[str, str, str]:
    words = split(each.rest, each.escape)
    if len(words) not in {1, 3} or (len(words) == 3 and words[1].upper() != "AS"):
        raise each.error("FROM requires either one or three arguments")
    base = expanded(words[0], arguments, each.escape)
    if not base:
        raise each.error(f"base name ({words[0]}) should not be blank")
    platform = expanded(each.flag("platform") or "", arguments, each.escape)
    return words[2].lower() if len(words) == 3 else "", base, platform
