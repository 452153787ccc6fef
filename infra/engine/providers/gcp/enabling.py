"""APIs of a project, enabled and disabled by Service Usage."""

# The protocol's own names and arguments.
# pylint: disable=redefined-builtin,unused-argument

from __future__ import annotations

import json
from typing import Any, Final

import anyio

from infra.engine.providers.contract import GONE, Checked, Created, Diff, Found, Target
from infra.engine.providers.gcp import checking, comparing, likeness
from infra.engine.providers.gcp.catalog import MINUTE, TIMEOUTS
from infra.engine.providers.gcp.client import Client, GoogleError, Json, Request
from infra.engine.providers.gcp.configuration import Configuration
from infra.engine.providers.gcp.errors import about
from infra.engine.providers.gcp.schema import load
from infra.engine.providers.gcp.shaping import plain
from infra.engine.values import Properties

TYPE: Final = "gcp:projects/service:Service"
_PRODUCT: Final = "serviceUsage"
_TIMEOUT: Final = 20 * MINUTE
_META: Final = json.dumps(
    {
        TIMEOUTS: {
            "create": 1_200_000_000_000,
            "delete": 1_200_000_000_000,
            "read": 600_000_000_000,
            "update": 1_200_000_000_000,
        }
    },
    separators=(",", ":"),
)


class EnabledApi:
    """One API of one project."""

    def __init__(self, client: Client, configuration: Configuration) -> None:
        self._client = client
        self._configuration = configuration
        self._schema = load("projects.service")
        # Service Usage refuses two changes of one project at once.
        self._lock = anyio.Lock()

    def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        """Inputs, and what is wrong with them."""
        return checking.check(self._schema, olds, news, name=target.name, seed=seed, auto=None)

    def diff(self, target: Target, old_inputs: Properties, state: Properties, news: Properties) -> Diff:
        """Another project or API is another resource; how it is disabled may change."""
        changes = comparing.compare(self._schema, state, self._completed(news), likeness.same)
        return Diff(
            changes=bool(changes),
            replaces=tuple(dict.fromkeys(change.top for change in changes if change.kind.replaces)),
            changed=tuple(dict.fromkeys(change.top for change in changes)),
            detailed=comparing.detailed(changes),
        )

    def planned(self, target: Target, state: Properties, news: Properties) -> Properties:
        """All of it is known before."""
        return self._outputs(self._completed(news))

    async def create(self, target: Target, inputs: Properties) -> Created:
        """Enable it, unless it is."""
        wanted = self._completed(inputs)
        with about("creating", target, _id(wanted)):
            async with self._lock:
                if not _enabled(await self._get(wanted)):
                    await self._do("enable", wanted, {}, target)
        return Created(_id(wanted), self._outputs(wanted))

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        """Whether it is enabled."""
        project, _, service = id.partition("/")
        wanted = {"project": project, "service": service, **(plain(state) or plain(inputs))}
        with about("reading", target, id):
            try:
                answer = await self._get(wanted)
            except GoogleError as error:
                if error.code == 404:
                    return GONE
                raise
        if not _enabled(answer):
            return GONE
        outputs = self._outputs(wanted)
        return Found(_id(wanted), outputs, inputs or likeness.inputs(self._schema, {}, outputs))

    async def recover(self, target: Target, inputs: Properties) -> Found | None:
        """Whether it is enabled, by us or by others: that comes to the same."""
        return await self.read(target, _id(self._completed(inputs)), inputs, {})

    async def update(self, target: Target, id: str, state: Properties, news: Properties) -> Properties:
        """How it will be disabled is nothing that the cloud knows."""
        return self._outputs(self._completed(news))

    async def delete(self, target: Target, id: str, state: Properties) -> None:
        """Disable it, if that was asked for."""
        if state.get("disableOnDestroy") is not True:
            return
        body = {"disableDependentServices": state.get("disableDependentServices") is True}
        with about("deleting", target, id):
            async with self._lock:
                await self._do("disable", state, body, target)

    def _completed(self, inputs: Properties) -> dict[str, Any]:
        wanted: dict[str, Any] = plain(inputs)
        if not wanted.get("project"):
            wanted["project"] = self._configuration.place("project", "project")
        return wanted

    def _outputs(self, wanted: Properties) -> Properties:
        known: Properties = {"deletionPolicy": "DELETE"}
        known |= {name: wanted[name] for name in self._schema if wanted.get(name) is not None}
        return {**known, "id": _id(wanted), "__meta": _META}

    async def _get(self, wanted: Properties) -> Json:
        return await self._client.call(Request(_PRODUCT, "GET", _path(wanted)))

    async def _do(self, verb: str, wanted: Properties, body: Json, target: Target) -> None:
        operation = await self._client.call(Request(_PRODUCT, "POST", f"{_path(wanted)}:{verb}", body))
        await self._client.finished(_PRODUCT, operation, target.timeout or _TIMEOUT)


def _id(wanted: Properties) -> str:
    return f"{wanted['project']}/{wanted['service']}"


def _path(wanted: Properties) -> str:
    return f"projects/{wanted['project']}/services/{wanted['service']}"


def _enabled(answer: Json) -> bool:
    return answer.get("state") == "ENABLED"
