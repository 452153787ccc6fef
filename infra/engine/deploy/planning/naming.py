"""Finding the resource in the state that a registration is about, under its name or a name that it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.engine.deploy import urns
from infra.engine.deploy.registration import Alias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.engine.deploy.planning.decisions import Decisions
    from infra.engine.deploy.steps.ledger import Ledger
    from infra.engine.state.model import Resource


class Naming:
    """URNs of one stack, with aliases."""

    def __init__(self, stack: str, project: str, decisions: Decisions, ledger: Ledger) -> None:
        self._stack = stack
        self._project = project
        self._decisions = decisions
        self._ledger = ledger

    def urn(self, parent: str, type_: str, name: str) -> str:
        """The URN of a resource of this stack."""
        return urns.make(self._stack, self._project, parent, type_, name)

    def find(
        self, urn: str, name: str, type_: str, parent: str, aliases: Sequence[Alias]
    ) -> tuple[Resource | None, str, list[str]]:
        """The resource, the alias it was found under (or empty), and what is wrong with the aliases."""
        decided, problems = self._decisions, []
        if (previous := decided.aliased.get(urn)) is not None:
            problems.append(
                f"Duplicate resource URN '{urn}' conflicting with alias on resource with URN '{previous}'"
            )
        for candidate in [urn, *self._expand(name, type_, parent, aliases)]:
            old = self._ledger.old(candidate)
            if old is None:
                continue
            if candidate == urn:
                return old, "", problems
            duplicate = (
                f"Duplicate resource alias '{candidate}' applied to resource with URN '{urn}' "
                "conflicting with "
            )
            if candidate in decided.urns:
                problems.append(f"{duplicate}resource with URN '{urn}'")
            if (previous := decided.aliased.get(candidate)) is not None:
                problems.append(f"{duplicate}resource with URN '{previous}'")
            decided.aliased[candidate] = urn
            decided.aliases[urn] = candidate
            return old, candidate, problems
        return None, "", problems

    def _expand(self, name: str, type_: str, parent: str, aliases: Sequence[Alias]) -> list[str]:
        """The URNs that aliases stand for, those that a renamed parent brings with it included."""
        own = [self._collapse(name, type_, parent, alias) for alias in aliases]
        if parent_alias := self._decisions.aliases.get(parent, ""):
            own.append(self._inherited(type_, name, parent, parent_alias))
            own += [
                self._inherited(urns.type_of(urn), urns.name_of(urn), parent, parent_alias)
                for urn in own[: len(aliases)]
            ]
        return list(dict.fromkeys(own))

    def _collapse(self, name: str, type_: str, parent: str, alias: Alias) -> str:
        if alias.urn:
            return alias.urn
        above = self._decisions.aliases.get(alias.parent, alias.parent) if alias.parent else parent
        if alias.no_parent or (above and urns.qualified_type(above) == urns.ROOT_TYPE):
            above = ""
        return urns.make(
            alias.stack or self._stack,
            alias.project or self._project,
            above,
            alias.type or type_,
            alias.name or name,
        )

    def _inherited(self, type_: str, name: str, parent: str, parent_alias: str) -> str:
        """The child's old URN: its name began with the parent's name.

        So it began with the parent's old one.
        """
        parent_name = urns.name_of(parent)
        if name.startswith(parent_name):
            name = urns.name_of(parent_alias) + name.removeprefix(parent_name)
        return urns.make_qualified(self._stack, self._project, urns.qualified_type(parent_alias), type_, name)
