"""The package ``pulumi`` itself: other stacks' outputs, values kept across updates.

Source: pkg/resource/deploy/builtins.go.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from infra.engine.providers.contract import (
    Called,
    Checked,
    Created,
    Diff,
    Failure,
    Found,
    Provider,
    ProviderError,
    Target,
)
from infra.engine.values import UNKNOWN, Properties, Unknown, Value
from infra.engine.values.compare import contains_secret, equal

if TYPE_CHECKING:
    from infra.engine.deploy.contract import Stacks
    from infra.engine.state.model import Resource

_STACK_REFERENCE = "pulumi:pulumi:StackReference"
_STASH = "pulumi:index:Stash"
_INPUT = {_STACK_REFERENCE: "name", _STASH: "input"}


class Builtin(Provider):
    """Serves ``StackReference``, ``Stash`` and the functions that read stacks."""

    package = "pulumi"
    secrets = True
    previews = True

    def __init__(self, stacks: Stacks | None, find: Callable[[str], Resource | None]) -> None:
        """``find`` answers the resource of a URN as this update knows it."""
        self._stacks = stacks
        self._find = find

    async def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        wanted = self._input(target)
        for key in news:
            if key != wanted:
                return Checked(news, (Failure(key, f'unknown property "{key}"'),))
        if wanted not in news:
            return Checked(news, (Failure(wanted, f'missing required property "{wanted}"'),))
        if target.type == _STACK_REFERENCE and not isinstance(news[wanted], str | Unknown):
            return Checked(news, (Failure(wanted, f'property "{wanted}" must be a string'),))
        return Checked(news)

    def _input(self, target: Target) -> str:
        if target.type not in _INPUT:
            raise ProviderError(f"unrecognized resource type '{target.type}'")
        return _INPUT[target.type]

    async def diff(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
    ) -> Diff:
        key = self._input(target)
        if equal(news.get(key), old_inputs.get(key)):
            return Diff(changes=False)
        return (
            Diff(changes=True, replaces=(key,))
            if target.type == _STACK_REFERENCE
            else Diff(changes=True, changed=(key,))
        )

    async def create(self, target: Target, inputs: Properties, preview: bool) -> Created:
        made = "" if preview else str(uuid.uuid4())
        if self._input(target) == "name":
            return Created(made, await self._reference(inputs))
        return Created(made, {"input": inputs["input"], "output": inputs["input"]})

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        if self._input(target) == "input":
            if not inputs:
                raise ProviderError("stash can not be imported")
            return Found(id, state, inputs)
        if "name" not in inputs:
            raise ProviderError("stack reference can not be imported")
        return Found(id, await self._reference(state), inputs)

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
        if target.type != _STASH:
            raise ProviderError(f"unrecognized resource type '{target.type}'")
        return {"input": news["input"], "output": old_outputs.get("output")}

    async def delete(self, target: Target, id: str, inputs: Properties, outputs: Properties) -> None:
        """There is nothing outside the state."""

    async def invoke(self, token: str, arguments: Properties) -> Called:
        if token == "pulumi:pulumi:readStackOutputs":  # noqa: S105 - a function's name
            return Called(await self._reference(arguments))
        if token == "pulumi:pulumi:readStackResourceOutputs":  # noqa: S105 - a function's name
            name = str(arguments.get("stackName"))
            return Called({"name": name, "outputs": await self._asked(name, resources=True)})
        if token == "pulumi:pulumi:getResource":  # noqa: S105 - a function's name
            return Called(self._resource(str(arguments.get("urn"))))
        raise ProviderError(f"unrecognized function name: '{token}'")

    async def _reference(self, inputs: Properties) -> Properties:
        name = inputs.get("name")
        if not isinstance(name, str):
            return {"name": name, "outputs": UNKNOWN, "secretOutputNames": UNKNOWN}
        outputs = await self._asked(name, resources=False)
        secret: list[Value] = [key for key in sorted(outputs) if contains_secret(outputs[key])]
        return {"name": name, "outputs": outputs, "secretOutputNames": secret}

    async def _asked(self, name: str, resources: bool) -> Properties:
        if self._stacks is None:
            raise ProviderError("no backend client is available")
        try:
            return await (self._stacks.resource_outputs(name) if resources else self._stacks.outputs(name))
        except LookupError as error:
            raise ProviderError(str(error.args[0] if error.args else error)) from error

    def _resource(self, urn: str) -> Properties:
        resource = self._find(urn)
        if resource is None:
            raise ProviderError(f"unknown resource {urn}")
        return {"urn": resource.urn, "id": resource.id, "state": resource.outputs}
