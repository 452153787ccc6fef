"""How stacks are named: ``stack``, ``organization/stack`` or ``organization/project/stack``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.engine.state.errors import StateError

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One stack of a backend; ``project`` is empty in a backend of the old layout, which knows none."""

    project: str
    name: str

    @property
    def qualified(self) -> str:
        """The full name, as the checkpoint holds it."""
        return f"organization/{self.project}/{self.name}" if self.project else self.name

    def shown(self, current_project: str | None, *, fully: bool = False) -> str:
        """The name as shown to somebody who works on ``current_project``."""
        return self.name if not fully and self.project == current_project else self.qualified


def check_project_name(name: str) -> None:
    """Raise StateError unless ``name`` may be a project's."""
    if not name:
        raise StateError("project names may not be empty")
    if len(name) > 100:
        raise StateError("project names are limited to 100 characters")
    if not _NAME.fullmatch(name):
        raise StateError("project names may only contain alphanumerics, hyphens, underscores, and periods")


def check_stack_name(name: str) -> None:
    """Raise StateError unless ``name`` may be a stack's."""
    if not name:
        raise StateError("a stack name may not be empty")
    if len(name) > 100:
        raise StateError("a stack name cannot exceed 100 characters")
    for place, char in enumerate(name):
        if not _NAME.fullmatch(char):
            raise StateError(
                "a stack name may only contain alphanumeric, hyphens, underscores, or periods: "
                f"invalid character {_quoted(char)} at position {place}"
            )


def _quoted(char: str) -> str:
    return "'\\''" if char == "'" else f"'{char}'"


def parse(text: str, current_project: str | None, *, legacy: bool) -> Reference:
    """The stack that ``text`` names. Raises StateError if it could be none."""
    if legacy:
        check_stack_name(text)
        return Reference("", text)
    if not text:
        raise StateError("stack name must not be empty")
    organization, project, name = ("organization", "", text)
    match text.split("/"):
        case [organization, name]:
            pass
        case [organization, project, name]:
            pass
    if organization != "organization":
        raise StateError("organization name must be 'organization'")
    if not project:
        if current_project is None:
            raise StateError(
                "no Pulumi.yaml project file found; either run this command from a directory containing a"
                " Pulumi"
                " project, or pass the fully qualified stack name (organization/project/stack)"
            )
        project = current_project
    check_project_name(project)
    check_stack_name(name)
    return Reference(project, name)
