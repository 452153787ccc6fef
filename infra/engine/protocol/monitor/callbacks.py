"""Functions of the program that the engine calls: transforms and hooks (callback.proto)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio

from infra.engine.deploy import urns
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.steps.hooks import Hook, Occasion
from infra.engine.protocol.channel import OPTIONS
from infra.engine.protocol.messages import callback_pb2, callback_pb2_grpc, resource_pb2
from infra.engine.values import Properties
from infra.engine.values.wire import ALL, decode, encode

if TYPE_CHECKING:
    from infra.engine.state.model import Resource

_Answer = TypeVar("_Answer")

Transform = Callable[[str, str, bool, str, Properties, Any], Awaitable[tuple[Properties, Any]]]
"""name, type, custom, parent, properties, options -> properties, options"""


class Callbacks:
    """Clients of the programs' callback servers, one an address."""

    def __init__(self) -> None:
        self._channels: dict[str, grpc.aio.Channel] = {}

    def _stub(self, target: str) -> Any:
        if target not in self._channels:
            self._channels[target] = grpc.aio.insecure_channel(target, options=OPTIONS)
        return callback_pb2_grpc.CallbacksStub(self._channels[target])

    async def _invoke(self, callback: Any, request: Any, answer: type[_Answer]) -> _Answer:
        message = callback_pb2.CallbackInvokeRequest(
            token=callback.token, request=request.SerializeToString()
        )
        try:
            response = await self._stub(callback.target).Invoke(message)
        except grpc.aio.AioRpcError as error:
            raise DeploymentError(error.details() or str(error.code())) from error
        parsed: _Answer = answer.FromString(response.response)  # type: ignore[attr-defined]
        return parsed

    def transform(self, callback: Any) -> Transform:
        """A resource transform of the program's."""

        async def call(  # noqa: PLR0917 - the protocol's own fields
            name: str, type_: str, custom: bool, parent: str, properties: Properties, options: Any
        ) -> tuple[Properties, Any]:
            request = resource_pb2.TransformRequest(
                name=name,
                type=type_,
                custom=custom,
                parent=parent,
                properties=encode(properties, ALL),
                options=options,
            )
            response = await self._invoke(callback, request, resource_pb2.TransformResponse)
            changed = (
                decode(response.properties, outputs=True) if response.HasField("properties") else properties
            )
            return changed, response.options if response.HasField("options") else options

        return call

    def invoke_transform(
        self, callback: Any
    ) -> Callable[[str, Properties, Any], Awaitable[tuple[Properties, Any]]]:
        """A transform of function calls."""

        async def call(token: str, arguments: Properties, options: Any) -> tuple[Properties, Any]:
            request = resource_pb2.TransformInvokeRequest(
                token=token, args=encode(arguments), options=options
            )
            response = await self._invoke(callback, request, resource_pb2.TransformInvokeResponse)
            changed = decode(response.args) if response.HasField("args") else arguments
            return changed, response.options if response.HasField("options") else options

        return call

    def hook(self, request: Any) -> Hook:
        """A resource hook of the program's."""

        async def call(occasion: Occasion) -> bool:
            message = resource_pb2.ResourceHookRequest(**_hooked(occasion, outputs=True))
            answer = await self._invoke(request.callback, message, resource_pb2.ResourceHookResponse)
            if answer.error:
                raise DeploymentError(answer.error)
            return False

        return Hook(request.name, call, request.on_dry_run, request.ignore_errors)

    def error_hook(self, request: Any) -> Hook:
        """A hook of the program's that says whether a failed call is tried again."""

        async def call(occasion: Occasion) -> bool:
            message = resource_pb2.ErrorHookRequest(
                **_hooked(occasion, outputs=False), failed_operation=occasion.failed, errors=occasion.errors
            )
            answer = await self._invoke(request.callback, message, resource_pb2.ErrorHookResponse)
            if answer.error:
                raise DeploymentError(answer.error)
            return bool(answer.retry)

        return Hook(request.name, call, on_dry_run=True)

    async def close(self) -> None:
        """Let the connections go."""
        for channel in self._channels.values():
            await channel.close()


def _hooked(occasion: Occasion, outputs: bool) -> dict[str, Any]:
    resource = occasion.new or occasion.old
    if resource is None:
        raise ValueError("a hook is about a resource")
    fields: dict[str, Any] = {
        "urn": resource.urn,
        "id": resource.id,
        "name": urns.name_of(resource.urn),
        "type": resource.type,
    }
    if occasion.new is not None:
        fields["new_inputs"] = encode(occasion.new.inputs, ALL)
        fields["new_options"] = _options(occasion.new)
        if outputs and occasion.kind.startswith("After"):
            fields["new_outputs"] = encode(occasion.new.outputs, ALL)
    if occasion.old is not None:
        fields["old_inputs"] = encode(occasion.old.inputs, ALL)
        fields["old_outputs"] = encode(occasion.old.outputs, ALL)
        fields["old_options"] = _options(occasion.old)
    return fields


def _options(resource: Resource) -> Any:
    given = resource_pb2.ResourceOptions(
        depends_on=resource.dependencies,
        protect=resource.protect,
        ignore_changes=resource.ignore_changes,
        replace_on_changes=resource.replace_on_changes,
        provider=resource.provider,
        retain_on_delete=resource.retain_on_delete,
        deleted_with=resource.deleted_with,
        additional_secret_outputs=resource.additional_secret_outputs,
        replace_with=resource.replace_with,
        parent=resource.parent,
    )
    # A keyword of Python's own, and a field of the protocol's.
    setattr(given, "import", resource.import_id)
    return given
