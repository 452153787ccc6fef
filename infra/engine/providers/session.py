"""A provider as the engine calls it: secrets kept for those that can't, previews for those that have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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
from infra.engine.values import Properties, Secret
from infra.engine.values.compare import bare_properties, contains_secret, contains_unknown, mark_secrets


class DiffUnavailableError(ProviderError):
    """A provider whose own configuration is not known yet can't compare."""

    def __init__(self) -> None:
        super().__init__(
            "The provider for this resource has inputs that are not known during preview.\n"
            "This preview may not correctly represent the changes that will be applied during an update."
        )


class Session(Provider):
    """Wraps ``inner``: takes and answers secrets, can be asked for a preview.

    And waits for its configuration.
    """

    secrets = True
    previews = True

    def __init__(self, inner: Provider) -> None:
        self.inner = inner
        self.package = inner.package
        self.version = inner.version
        self._known = True

    def _given(self, properties: Properties) -> Properties:
        return properties if self.inner.secrets else bare_properties(properties)

    def _answered(self, answer: Properties, given: Properties) -> Properties:
        return answer if self.inner.secrets else mark_secrets(answer, given)

    async def check_config(self, target: Target, olds: Properties, news: Properties) -> Checked:
        checked = await self.inner.check_config(target, self._given(olds), self._given(news))
        return Checked(self._answered(checked.inputs, news), checked.failures)

    async def diff_config(
        self, target: Target, olds: Properties, news: Properties, ignored: Sequence[str]
    ) -> Diff:
        return await self.inner.diff_config(target, self._given(olds), self._given(news), ignored)

    async def configure(self, inputs: Properties) -> None:
        if any(contains_unknown(value) for value in inputs.values()):
            self._known = False
            return
        self._known = True
        await self.inner.configure(self._given(inputs))

    async def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        if not self._known:
            return Checked(news)
        checked = await self.inner.check(target, self._given(olds), self._given(news), seed)
        return Checked(self._answered(checked.inputs, news), checked.failures)

    async def diff(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
    ) -> Diff:
        if not self._known:
            raise DiffUnavailableError
        return await self.inner.diff(
            target, id, self._given(old_inputs), self._given(old_outputs), self._given(news), ignored
        )

    async def create(self, target: Target, inputs: Properties, preview: bool) -> Created:
        if preview and not self._known:
            return Created("", {})
        if preview and not self.inner.previews:
            return Created("", inputs)
        created = await self.inner.create(target, self._given(inputs), preview)
        if not created.id and not preview:
            raise ProviderError(f"plugin returned empty resource.ID from create '{target.urn}'")
        return replace(created, outputs=self._answered(created.outputs, inputs))

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        if not self._known:
            return Found("")
        found = await self.inner.read(target, id, self._given(inputs), self._given(state))
        answered = None if found.inputs is None else self._answered(found.inputs, inputs)
        return replace(found, inputs=answered, outputs=self._answered(found.outputs, state))

    async def recover(self, target: Target, inputs: Properties) -> Found | None:
        found = await self.inner.recover(target, self._given(inputs)) if self._known else None
        if found is None:
            return None
        answered = None if found.inputs is None else self._answered(found.inputs, inputs)
        return replace(found, inputs=answered, outputs=self._answered(found.outputs, inputs))

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
        if preview and not self._known:
            return {}
        if preview and not self.inner.previews:
            return news
        outputs = await self.inner.update(
            target, id, self._given(old_inputs), self._given(old_outputs), self._given(news), ignored, preview
        )
        return self._answered(outputs, news)

    async def delete(self, target: Target, id: str, inputs: Properties, outputs: Properties) -> None:
        await self.inner.delete(target, id, self._given(inputs), self._given(outputs))

    async def invoke(self, token: str, arguments: Properties) -> Called:
        if not self._known:
            return Called({})
        return self._called(await self.inner.invoke(token, self._given(arguments)), arguments)

    async def construct(self, request: Any) -> Any:
        if not self._known:
            raise ProviderError(
                f"the provider that makes {request.type} has inputs that are not known during preview"
            )
        return await self.inner.construct(request)

    async def call(self, request: Any) -> Any:
        return await self.inner.call(request)

    def _called(self, called: Called, arguments: Properties) -> Called:
        if self.inner.secrets or not contains_secret(arguments):
            return called
        secret: Properties = {
            key: value if isinstance(value, Secret) else Secret(value) for key, value in called.result.items()
        }
        return replace(called, result=secret)

    async def cancel(self) -> None:
        await self.inner.cancel()

    async def close(self) -> None:
        await self.inner.close()
