"""One call of the command line.

Its flags, and what they and the surroundings lead to, each found when it is needed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.commands.line.flags import Parsed
from infra.engine.commands.line.handover import Choice
from infra.engine.project import stackfile, workspace
from infra.engine.project.errors import NoProjectError
from infra.engine.project.home import Home
from infra.engine.project.stackfile import StackFile
from infra.engine.project.workspace import Project
from infra.engine.state.errors import NoSuchStackError
from infra.engine.state.reference import Reference

if TYPE_CHECKING:
    from infra.engine.state.backend import Backend


NOT_LOGGED_IN = 3


class Invocation:
    """What a command is given.

    Properties raise errors for the user: no project, no backend, no such stack.
    """

    def __init__(self, parsed: Parsed, variables: Mapping[str, str], choice: Choice) -> None:
        self.flags = parsed.values
        self.given = parsed.given
        self.words = parsed.words
        self.variables = variables
        self.choice = choice
        if folder := self.flags.get("cwd"):
            try:
                os.chdir(folder)
            except OSError as error:
                raise ExitError(f"chdir {folder}: {error.strerror}") from error

    @cached_property
    def interactive(self) -> bool:
        """Whether somebody can be asked."""
        return not self.flags["non-interactive"] and sys.stdin.isatty() and sys.stdout.isatty()

    @cached_property
    def color(self) -> bool:
        """Whether to colour the output."""
        if self.flags["color"] == "auto":
            return (
                sys.stdout.isatty()
                and "NO_COLOR" not in self.variables
                and self.variables.get("TERM") != "dumb"
            )
        if self.flags["color"] not in {"always", "never", "raw"}:
            raise ExitError(
                f"unsupported color option: '{self.flags['color']}'. Supported values are: always, never,"
                " raw, auto"
            )
        return bool(self.flags["color"] == "always")

    @property
    def json(self) -> bool:
        """Whether JSON is asked for."""
        return bool(self.flags.get("json")) or self.flags.get("output") == "json"

    @cached_property
    def folder(self) -> Path:
        """The working folder, as the user sees it: links in its path are not resolved."""
        given = self.variables.get("PWD", "")
        here = Path.cwd()
        return Path(given) if given and Path(given).exists() and Path(given).samefile(here) else here

    @cached_property
    def home(self) -> Home:
        """Pulumi's own folder."""
        return Home(self.variables)

    @cached_property
    def project(self) -> Project:
        """The project one is in. Raises NoProjectError."""
        return workspace.load(workspace.find(self.folder))

    @cached_property
    def project_or_none(self) -> Project | None:
        """The project one is in, if any."""
        try:
            return self.project
        except NoProjectError:
            return None

    @cached_property
    def url(self) -> str:
        """The backend's URL: of the variable, the project, or the login."""
        project = self.project_or_none
        url = (
            self.variables.get("PULUMI_BACKEND_URL")
            or (project.backend if project else "")
            or self.home.current_url()
        )
        if not url:
            raise ExitError(
                "PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions, or use a"
                " backend of"
                " files: `pulumi login file://~` or PULUMI_BACKEND_URL=file://PATH",
                NOT_LOGGED_IN,
            )
        return url

    @cached_property
    def backend(self) -> Backend:
        """The backend."""
        from infra.engine.state.backend import Backend

        backend = Backend(self.url, self.variables)
        if backend.warning:
            print(f"warning: {backend.warning}", file=sys.stderr)
        return backend

    @property
    def project_name(self) -> str | None:
        """The current project's name, if there is one."""
        return self.project_or_none.name if self.project_or_none else None

    def reference(self, text: str) -> Reference:
        """The stack that ``text`` names, whether it exists or not."""
        return self.backend.parse(text, self.project_name)

    @cached_property
    def stack(self) -> Reference:
        """The stack to operate on: ``--stack``, or the selected one. It exists."""
        named = self.flags.get("stack") or self.variables.get("PULUMI_STACK")
        if named:
            return self.existing(named)
        selected = self.selected
        if selected is None:
            raise ExitError(
                "no stack selected; please use `pulumi stack select` or `pulumi stack init` to choose one"
            )
        if not self.backend.exists(selected):
            raise NoSuchStackError(f"no stack named '{selected.name}' found")
        return selected

    def existing(self, text: str) -> Reference:
        """The stack that ``text`` names. Raises NoSuchStackError."""
        reference = self.reference(text)
        if not self.backend.exists(reference):
            raise NoSuchStackError(f"no stack named '{text}' found")
        return reference

    @property
    def selected(self) -> Reference | None:
        """The stack selected in this project, whether it exists or not."""
        project = self.project_or_none
        if project is None:
            return None
        name = self.home.selected(project.name, project.file, self.url)
        return self.backend.parse(name, project.name) if name else None

    def select(self, stack: Reference | None) -> None:
        """Select a stack in this project."""
        project = self.project
        self.home.select(project.name, project.file, self.url, stack.qualified if stack else None)

    def shown(self, stack: Reference) -> str:
        """The stack's name as it is shown."""
        return stack.shown(self.project_name, fully=self.flags["fully-qualify-stack-names"])

    def stack_file(self, stack: Reference) -> StackFile:
        """The configuration file of ``stack``."""
        given = self.flags.get("config-file")
        path = Path(given) if given else self.project.stack_file(stack.name)
        if given and not path.exists() and not path.parent.exists():
            raise ExitError(f"could not read '{path}': no such folder")
        return stackfile.load(path, self.project.name)

    def confirm(self, warning: str, name: str) -> None:
        """Have the user type ``name``, unless ``--yes`` was given. Raises ExitError."""
        if self.flags.get("yes") or self.variables.get("PULUMI_SKIP_CONFIRMATIONS", "") in {"1", "true"}:
            return
        if not self.interactive:
            raise ExitError("non-interactive mode requires --yes flag")
        print(
            f"{warning}\nPlease confirm that this is what you'd like to do by typing `{name}`: ",
            end="",
            flush=True,
        )
        if prompts.read_line().strip() != name:
            raise ExitError("confirmation declined", 8)
