"""The resource monitor: the service that a program talks to (resource.proto)."""

# The methods and their parameters are the protocol's, whether a method has a use for them or not.
# pylint: disable=unused-argument

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import grpc
from google.protobuf import empty_pb2

from infra.engine.deploy.errors import DeploymentError, StoppedError
from infra.engine.protocol.messages import resource_pb2, resource_pb2_grpc
from infra.engine.protocol.monitor import requests
from infra.engine.protocol.monitor.callbacks import Callbacks
from infra.engine.protocol.monitor.calling import Calling
from infra.engine.protocol.monitor.packages import Packages
from infra.engine.protocol.monitor.registering import Registering
from infra.engine.protocol.monitor.requests import InvalidRequestError
from infra.engine.providers.contract import ProviderError
from infra.engine.providers.defaults import Defaults
from infra.engine.values.assets import AssetError

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment

_FEATURES = {
    "secrets",
    "resourceReferences",
    "outputValues",
    "aliasSpecs",
    "replacementTrigger",
    "deletedWith",
    "replaceWith",
    "transforms",
    "invokeTransforms",
    "parameterization",
    "resourceHooks",
    "errorHooks",
    "sendsOptionsToHooks",
}
_KNOWN_FEATURES = 13
"""All up to options for hooks; byte strings, which come next, aren't kept as such."""

_Method = TypeVar("_Method", bound=Callable[..., Coroutine[Any, Any, Any]])


def _answering(method: _Method) -> _Method:
    """Have a method's errors reach the program as gRPC statuses."""

    @wraps(method)
    async def call(self: Monitor, request: Any, context: Any) -> Any:
        try:
            return await method(self, request, context)
        except StoppedError as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        except InvalidRequestError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except (DeploymentError, ProviderError, AssetError) as error:
            await context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return call  # type: ignore[return-value]


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Serves one program of one deployment.

    ``finished`` is set when the program has asked for all that it is going to ask for; it then waits for
    ``released``.
    """

    def __init__(self, deployment: Deployment, defaults: Defaults) -> None:
        self._deployment = deployment
        self._callbacks = Callbacks()
        self._packages = Packages(defaults)
        self._registering = Registering(deployment, self._packages, self._callbacks)
        self._calling = Calling(deployment, self._packages, self._registering.known)
        self.finished = anyio.Event()
        self.released = anyio.Event()

    def serve_at(self, address: str) -> None:
        """Tell where this listens, for providers that make components."""
        self._registering.address = self._calling.address = address

    async def close(self) -> None:
        """Let the program's callbacks go."""
        await self._callbacks.close()

    # The names below are the protocol's.

    async def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _FEATURES)

    async def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        wanted = self._deployment.request
        return resource_pb2.DeploymentInfo(
            project=wanted.project,
            stack=wanted.stack,
            organization=wanted.organization,
            config=dict(wanted.config),
            configSecretKeys=sorted(wanted.secret_config),
            dryRun=self._deployment.preview,
            parallel=wanted.parallel,
            supportedFeatures=resource_pb2.ResourceMonitorFeature.values()[:_KNOWN_FEATURES],
        )

    @_answering
    async def RegisterResource(self, request: Any, context: Any) -> Any:
        return await self._registering.register(request)

    @_answering
    async def ReadResource(self, request: Any, context: Any) -> Any:
        return await self._registering.read(request)

    @_answering
    async def Invoke(self, request: Any, context: Any) -> Any:
        return await self._calling.invoke(request)

    @_answering
    async def Call(self, request: Any, context: Any) -> Any:
        return await self._calling.call(request)

    @_answering
    async def RegisterPackage(self, request: Any, context: Any) -> Any:
        return resource_pb2.RegisterPackageResponse(ref=self._packages.register(request))

    @_answering
    async def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        urn = requests.check_urn(request.urn, "resource")
        outputs = await self._registering.properties(request.outputs, outputs=False)
        await self._deployment.register_outputs(urn, outputs)
        return empty_pb2.Empty()

    @_answering
    async def RegisterStackTransform(self, request: Any, context: Any) -> Any:
        self._registering.stack_transforms.append(self._callbacks.transform(request))
        return empty_pb2.Empty()

    @_answering
    async def RegisterStackInvokeTransform(self, request: Any, context: Any) -> Any:
        self._calling.transforms.append(self._callbacks.invoke_transform(request))
        return empty_pb2.Empty()

    @_answering
    async def RegisterResourceHook(self, request: Any, context: Any) -> Any:
        self._deployment.hooks.register(self._callbacks.hook(request))
        return empty_pb2.Empty()

    @_answering
    async def RegisterErrorHook(self, request: Any, context: Any) -> Any:
        self._deployment.hooks.register(self._callbacks.error_hook(request))
        return empty_pb2.Empty()

    async def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        self.finished.set()
        await self.released.wait()
        return empty_pb2.Empty()
