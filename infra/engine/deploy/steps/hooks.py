"""Resource hooks: what a program wants called before and after its resources change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.engine.deploy.errors import DeploymentError

if TYPE_CHECKING:
    from infra.engine.deploy.steps.report import Report
    from infra.engine.state.model import Resource


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a hook is told: ``kind`` such as ``BeforeCreate``, and the resource before and after."""

    kind: str
    old: Resource | None
    new: Resource | None
    failed: str = ""
    errors: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of the program's. ``call`` raises DeploymentError with its error.

    An error hook answers whether to retry.
    """

    name: str
    call: Callable[[Occasion], Awaitable[bool]]
    on_dry_run: bool = False
    ignore_errors: bool = False


class Hooks:
    """The hooks that the program has registered, by name."""

    def __init__(self, report: Report, preview: bool) -> None:
        self._report = report
        self._preview = preview
        self._hooks: dict[str, Hook] = {}

    def register(self, hook: Hook) -> None:
        """Take a hook in. Raises DeploymentError for a name that is taken, or empty."""
        if not hook.name:
            raise DeploymentError("resource hook name cannot be empty")
        if hook.name in self._hooks:
            raise DeploymentError(f'resource hook already registered for name "{hook.name}"')
        self._hooks[hook.name] = hook

    async def run(self, kind: str, old: Resource | None, new: Resource | None) -> None:
        """Call a resource's hooks of that kind. Raises DeploymentError when one fails or isn't there."""
        resource = new or old
        for name in resource.resource_hooks.get(kind, ()) if resource else ():
            hook = self._hooks.get(name)
            if hook is None:
                raise DeploymentError(f'hook "{name}" was not registered')
            if self._preview and not hook.on_dry_run:
                continue
            try:
                await hook.call(Occasion(kind, old, new))
            except DeploymentError as error:
                if not hook.ignore_errors:
                    when = "before" if kind.startswith("Before") else "after"
                    raise DeploymentError(f'{when} hook "{name}" failed: {error}') from error
                urn = resource.urn if resource else ""
                self._report.warning(f'{kind} hook "{name}" failed: {error}', urn)

    async def retry(
        self, failed: str, old: Resource | None, new: Resource | None, errors: Sequence[str]
    ) -> bool:
        """Ask a resource's error hooks whether to try a failed call (``create``, ...) again."""
        resource = new or old
        again = False
        for name in resource.resource_hooks.get("OnError", ()) if resource else ():
            hook = self._hooks.get(name)
            if hook is None:
                raise DeploymentError(f'error hook "{name}" was not registered')
            again = await hook.call(Occasion("OnError", old, new, failed, errors)) or again
        return again
