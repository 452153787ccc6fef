"""What becomes of a resource: made, made again, changed, replaced or left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.engine.deploy.contract import Op
from infra.engine.deploy.errors import ReportedError
from infra.engine.deploy.planning import differ
from infra.engine.deploy.planning.decisions import Decisions, Scope
from infra.engine.deploy.planning.replacing import Replacing
from infra.engine.deploy.planning.untargeted import Untargeted
from infra.engine.deploy.planning.wish import Wish
from infra.engine.deploy.steps.step import Step, same
from infra.engine.providers.contract import Diff
from infra.engine.providers.session import DiffUnavailableError
from infra.engine.values.compare import contains_unknown, equal

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment
    from infra.engine.state.model import Resource


class Deciding:
    """Decides on one wish at a time, by what has been decided on others."""

    def __init__(self, deployment: Deployment, untargeted: Untargeted) -> None:
        self._deployment = deployment
        self._report = deployment.report
        self._ledger = deployment.ledger
        self._scope: Scope = deployment.scope
        self._decided: Decisions = deployment.decisions
        self._replacing = Replacing(deployment)
        self._untargeted = untargeted

    async def decide(self, wish: Wish, recreating: bool, external: bool, included: bool) -> list[Step]:
        """The steps for a wish that is checked. Raises ReportedError when it can't be fulfilled."""
        decided, old, urn = self._decided, wish.old, wish.urn
        if recreating and old is not None:
            return self._recreate(wish, old)
        if external and old is not None:
            decided.creates.add(urn)
            return [
                Step(Op.CREATE_REPLACEMENT, old, wish.new, pending_delete=True),
                Step(Op.REPLACE, old, wish.new, pending_delete=True),
            ]
        self._scope.follow(wish.new, included)
        if old is None and not included:
            decided.sames.add(urn)
            decided.skipped_creates.add(urn)
            return [Step(Op.SAME, wish.new, wish.new, skipped=True)]
        if old is None:
            decided.creates.add(urn)
            return [Step(Op.CREATE, None, wish.new)]
        if not included:
            return self._untargeted.leave(old, urn)
        return await self._compare(wish, old)

    def _recreate(self, wish: Wish, old: Resource) -> list[Step]:
        """Make again what was deleted along with something that it depended on."""
        self._decided.deletes.discard(wish.urn)
        self._decided.replaces.add(wish.urn)
        keys = self._decided.dependent_keys.get(wish.urn, ())
        old = self._ledger.old(old.urn) or old
        return [
            Step(Op.REPLACE, old, wish.new),
            Step(Op.CREATE_REPLACEMENT, old, wish.new, keys=keys),
        ]

    async def _compare(self, wish: Wish, old: Resource) -> list[Step]:
        wanted = wish.registration
        if not self._deployment.preview and contains_unknown(wish.new.replacement_trigger):
            message = f"replacement trigger contains unknowns for {wish.urn}"
            self._report.error(message, wish.urn)
            raise ReportedError(message, wish.urn)
        triggered = differ.triggered(wish.new.replacement_trigger, old.replacement_trigger)
        found = differ.CHANGED if triggered else await self._diff(wish, old)
        if wish.urn in self._decided.deletes:
            return self._recreate(wish, old)
        found = differ.replace_on_changes(found, wanted.replace_on_changes, bool(old.init_errors))
        must = differ.takes_replacement(found) or triggered or old.pending_replacement
        if (found.changes or old.pending_replacement) and must:
            return await self._replacing.replace(wish, old, found)
        if found.changes or old.init_errors:
            self._decided.updates.add(wish.urn)
            return [
                Step(
                    Op.UPDATE,
                    old,
                    wish.new,
                    diffs=found.changed,
                    detailed=found.detailed or None,
                    ignored=wanted.ignore_changes,
                )
            ]
        if wish.imported:
            return []
        self._decided.sames.add(wish.urn)
        return [same(old, wish.new)]

    async def _diff(self, wish: Wish, old: Resource) -> Diff:  # noqa: PLR0911 - one reason each
        new, decided = wish.new, self._decided
        if self._scope.replaces_urn(wish.urn, old):
            return Diff(changes=True, replaces=("id",))
        if any(urn in decided.replaces for urn in new.replace_with):
            return Diff(changes=True, replaces=("replaceWith",))
        if new.deleted_with and new.deleted_with in decided.replaces:
            return Diff(changes=True, replaces=("deletedWith",))
        if await self._replacing.provider_changed(old, new):
            return Diff(changes=True, replaces=("provider",))
        if wish.provider is None:
            return differ.SAME if equal(old.inputs, new.inputs) else differ.CHANGED
        try:
            return await differ.diff(
                wish.provider, wish.target, old, new.inputs, wish.registration.ignore_changes
            )
        except DiffUnavailableError as error:
            self._report.warning(str(error), wish.urn)
            return differ.CHANGED
