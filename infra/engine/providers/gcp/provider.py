"""The ``gcp`` provider: Pulumi's protocol, handed to whoever serves a type."""

# The protocol's own names and arguments.
# pylint: disable=redefined-builtin

from __future__ import annotations

from collections.abc import Sequence

import anyio
import httpx

from infra.engine.providers.contract import (
    Called,
    Checked,
    Created,
    Diff,
    Found,
    Provider,
    ProviderError,
    Target,
)
from infra.engine.providers.gcp import functions
from infra.engine.providers.gcp.catalog import KINDS
from infra.engine.providers.gcp.client import Client
from infra.engine.providers.gcp.configuration import Configuration, failures
from infra.engine.providers.gcp.contract import Family
from infra.engine.providers.gcp.enabling import TYPE as API
from infra.engine.providers.gcp.enabling import EnabledApi
from infra.engine.providers.gcp.members import POLICIED, Members
from infra.engine.providers.gcp.rest import Rest
from infra.engine.values import Properties, Unknown

SERVED = frozenset({*KINDS, *POLICIED, API})


class Gcp(Provider):
    """Google Cloud for one configuration."""

    package = "gcp"
    previews = True

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """``transport`` stands in for the network, for tests."""
        self._transport = transport
        self._configuration = Configuration.read({})
        self._client: Client | None = None
        self._families: dict[str, Family] = {}
        self._locks: dict[str, anyio.Lock] = {}

    async def check_config(self, target: Target, olds: Properties, news: Properties) -> Checked:
        """Refuse keys that there are not, and those that are not served here."""
        return Checked(news, tuple(failures(news)))

    async def configure(self, inputs: Properties) -> None:
        """Take the checked configuration; what is not in it comes from the environment."""
        self._configuration = Configuration.read(inputs)

    async def diff_config(
        self, target: Target, olds: Properties, news: Properties, ignored: Sequence[str]
    ) -> Diff:
        """Another project, region or zone makes other resources in time, and replaces none."""
        changed = tuple(sorted(name for name in {*olds, *news} if olds.get(name) != news.get(name)))
        return Diff(changes=bool(changed), changed=changed)

    async def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        """Validate, and fill in defaults."""
        return self._family(target).check(target, olds, news, seed)

    async def diff(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
    ) -> Diff:
        """Compare with the last known state."""
        return self._family(target).diff(target, old_inputs, old_outputs, news)

    async def create(self, target: Target, inputs: Properties, preview: bool) -> Created:
        """Make the resource, or say what is known of it before."""
        family = self._family(target)
        if preview:
            return Created("", family.planned(target, {}, inputs))
        return await family.create(target, inputs)

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        """Look at the resource."""
        return await self._family(target).read(target, id, inputs, state)

    async def recover(self, target: Target, inputs: Properties) -> Found | None:
        """Look for what an interrupted create has made."""
        return await self._family(target).recover(target, inputs)

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
        """Change the resource, or say what it will be."""
        family = self._family(target)
        if preview:
            return family.planned(target, old_outputs, news)
        return await family.update(target, id, old_outputs, news)

    async def delete(self, target: Target, id: str, inputs: Properties, outputs: Properties) -> None:
        """Take the resource away."""
        await self._family(target).delete(target, id, outputs)

    async def invoke(self, token: str, arguments: Properties) -> Called:
        """Call a data source."""
        if any(isinstance(value, Unknown) for value in arguments.values()):
            return Called({})
        called = await functions.call(token, arguments, self._connected(), self._configuration)
        if called is None:
            raise ProviderError(_unserved("the function", token))
        return called

    async def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            await self._client.close()

    def _connected(self) -> Client:
        if self._client is None:
            self._client = Client(self._configuration, self._transport)
        return self._client

    def _family(self, target: Target) -> Family:
        if target.type not in self._families:
            self._families[target.type] = self._new(target.type)
        return self._families[target.type]

    def _new(self, type: str) -> Family:
        client = self._connected()
        if type in KINDS:
            return Rest(KINDS[type], client, self._configuration)
        if type in POLICIED:
            return Members(POLICIED[type], client, self._configuration, self._locks)
        if type == API:
            return EnabledApi(client, self._configuration)
        raise ProviderError(_unserved("the type", type))


def _unserved(what: str, token: str) -> str:
    return (
        f"{what} {token} is not served by the embedded engine's gcp provider; install the Pulumi CLI, whose "
        "gcp plugin serves all of them, and run the same command with it"
    )
