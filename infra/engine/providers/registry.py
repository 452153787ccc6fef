"""The providers of one deployment: resources themselves, and what serves all others.

Source: pkg/.../providers/registry.go.
"""

# The methods' parameters are the protocol's, ``id`` among them, whether a method has a use for them or not.
# pylint: disable=unused-argument,redefined-builtin

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import anyio

from infra.engine.deploy import urns
from infra.engine.providers.contract import Checked, Created, Diff, Failure, Provider, ProviderError, Target
from infra.engine.providers.session import Session
from infra.engine.values import Properties, Value
from infra.engine.values.compare import equal
from infra.engine.values.wire import UNKNOWN_ID

if TYPE_CHECKING:
    from infra.engine.state.model import Resource

INTERNAL = "__internal"
VERSION = "version"
UNCONFIGURED = "unconfigured"

Load = Callable[[str, str], Awaitable[Provider]]
"""Finds the provider that serves a package at a version (or any, when empty).

Raises ProviderError for none.
"""


def configuration(inputs: Properties) -> Properties:
    """What a provider resource's inputs say to the provider, rather than to the engine."""
    return {key: value for key, value in inputs.items() if key != INTERNAL}


class Registry(Provider):
    """Serves the resources of type ``pulumi:providers:PACKAGE``.

    Each, once made, serves its package's resources.
    """

    secrets = True
    previews = True
    package = "pulumi"

    def __init__(self, load: Load, preview: bool, find: Callable[[str], Resource | None]) -> None:
        """``find`` answers the provider resource of a URN in the old state."""
        self._load = load
        self._preview = preview
        self._find = find
        self._ready: dict[str, Session] = {}
        self._aliases: dict[str, str] = {}
        self._all: list[Session] = []
        self._ensuring = anyio.Lock()

    def get(self, reference: str) -> Provider | None:
        """The provider of that name (``URN::ID``), if it is ready."""
        return self._ready.get(reference)

    def rename(self, urn: str, alias: str) -> None:
        """Have resources in the state find the provider under the name that it had."""
        self._aliases[urn] = alias

    async def ensure(self, reference: str) -> Provider:
        """The provider of that name, made ready from the old state if need be.

        Raises ProviderError when it can't be loaded.
        """
        async with self._ensuring:
            if (ready := self._ready.get(reference)) is not None:
                return ready
            if not reference:
                return self
            urn, identifier = urns.parse_reference(reference)
            resource = self._find(urn)
            if resource is None or resource.id != identifier:
                raise ProviderError(f"could not find provider {reference} in old state")
            await self.same(resource, fresh=True)
            return self._ready[reference]

    async def same(self, resource: Resource, fresh: bool = False) -> None:
        """Make the provider ready that a resource describes which stays as it is; ``fresh``.

        Not checked before.
        """
        reference = urns.reference(resource.urn, resource.id)
        checked = None if fresh else self._ready.pop(urns.reference(resource.urn, UNCONFIGURED), None)
        if reference in self._ready:
            return
        provider = checked or await self._open(resource.urn, resource.inputs)
        await provider.configure(configuration(resource.inputs))
        self._set(resource.urn, resource.id, provider)

    def _set(self, urn: str, id: str, provider: Session) -> None:
        self._ready[urns.reference(urn, id)] = provider
        if (alias := self._aliases.get(urn)) is not None:
            self._ready[urns.reference(alias, id)] = provider

    async def _open(self, urn: str, inputs: Properties) -> Session:
        package = urns.package_of(urns.type_of(urn))
        version: Value = inputs.get(VERSION)
        internal = inputs.get(INTERNAL)
        if isinstance(internal, dict):
            if isinstance(name := internal.get("name"), str):
                package, version = name, internal.get(VERSION)
            if "parameterization" in internal:
                raise ProviderError(
                    f"package {package} is parameterized, "
                    "which the embedded engine doesn't serve; use the Pulumi CLI"
                )
        session = Session(await self._load(package, version if isinstance(version, str) else ""))
        self._all.append(session)
        return session

    async def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        provider = await self._open(target.urn, news)
        checked = await provider.check_config(target, configuration(olds), configuration(news))
        if checked.failures:
            return Checked(news, checked.failures)
        inputs = dict(checked.inputs)
        for key in (VERSION, INTERNAL):
            if key in news:
                inputs.setdefault(key, news[key])
        if VERSION in news and not equal(inputs[VERSION], news[VERSION]):
            return Checked(news, (Failure(VERSION, "a provider can't change its own version"),))
        self._ready[urns.reference(target.urn, UNCONFIGURED)] = provider
        return Checked(inputs)

    async def diff(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
    ) -> Diff:
        provider = self._ready.get(urns.reference(target.urn, UNCONFIGURED)) or self._ready.get(
            urns.reference(target.urn, id)
        )
        if provider is None:
            raise ProviderError(f"provider {target.urn} was never checked")
        wanted = configuration(news)
        answer = await provider.diff_config(target, configuration(old_inputs), wanted, ignored)
        if answer.changes is None:
            return Diff(changes=not equal(dict(old_outputs), wanted), replaces=answer.replaces)
        return answer

    async def create(self, target: Target, inputs: Properties, preview: bool) -> Created:
        provider = self._ready.pop(urns.reference(target.urn, UNCONFIGURED), None)
        if provider is None:
            provider = await self._open(target.urn, inputs)
        identifier = UNKNOWN_ID if preview else str(uuid.uuid4())
        outputs = configuration(inputs)
        await provider.configure(outputs)
        self._set(target.urn, identifier, provider)
        return Created(identifier, outputs)

    async def update(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
        preview: bool,
    ) -> Properties:
        provider = self._ready.pop(urns.reference(target.urn, UNCONFIGURED), None)
        if provider is None:
            provider = await self._open(target.urn, news)
        outputs = configuration(news)
        await provider.configure(outputs)
        self._set(target.urn, id, provider)
        return outputs

    async def delete(self, target: Target, id: str, inputs: Properties, outputs: Properties) -> None:
        # The provider itself is closed at the end: deletions that need it may still be under way.
        self._ready.pop(urns.reference(target.urn, id), None)

    async def cancel(self) -> None:
        for session in self._all:
            await session.cancel()

    async def close(self) -> None:
        for session in self._all:
            await session.close()
        self._all.clear()
