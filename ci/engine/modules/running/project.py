"""What a module's pyproject.toml says that matters to running it: its Python, and what it requires."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ci.engine.errors import EngineError
from ci.engine.modules.running.sdk import NAME, normalized
from ci.engine.modules.types import names

if TYPE_CHECKING:
    from packaging.requirements import Requirement


@dataclass(frozen=True)
class Project:
    """What a module's pyproject.toml says that matters to running it."""

    name: str
    requires_python: str
    dependencies: tuple[str, ...]
    entry_point: str
    base_image: str

    @classmethod
    def parse(cls, text: str, module: str, place: str) -> Project:
        """Read a pyproject.toml; one that is missing is empty.

        Raises:
            EngineError: it is no TOML.
        """
        try:
            document: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise EngineError(f"{place}: not a project's configuration: {error}") from error
        project = document.get("project", {})
        return cls(
            name=project.get("name") or names.project(module),
            requires_python=project.get("requires-python", ""),
            dependencies=tuple(project.get("dependencies", ())),
            entry_point=project.get("entry-points", {}).get("dagger.mod", {}).get("main_object", ""),
            base_image=document.get("tool", {}).get("dagger", {}).get("base-image", ""),
        )

    def runs_on(self, python: str) -> bool:
        """Whether it is meant for a version of Python, such as 3.11."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            return SpecifierSet(self.requires_python).contains(f"{python}.99")
        except InvalidSpecifier as error:
            raise EngineError(f"pyproject.toml: requires-python: {error}") from error

    def missing(self, versions: Mapping[str, str]) -> list[Requirement]:
        """What it requires that is not among distributions of those versions, and is not the SDK.

        Raises:
            EngineError: a dependency is no requirement.
        """
        from packaging.requirements import InvalidRequirement, Requirement

        found = []
        for text in self.dependencies:
            try:
                wanted = Requirement(text)
            except InvalidRequirement as error:
                raise EngineError(f"pyproject.toml: {text!r} is no requirement: {error}") from error
            name = normalized(wanted.name)
            if name == NAME or (wanted.marker is not None and not wanted.marker.evaluate()):
                continue
            known = versions.get(name)
            if known is None or not wanted.specifier.contains(known, prereleases=True):
                found.append(wanted)
        return found
