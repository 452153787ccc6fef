"""The resource monitor: the service that a program talks to (resource.proto)."""

# The methods and their parameters are the protocol's, whether a method has a use for them or not.
# pylint: disable=unused-argument

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
import grpc
from google.protobuf import empty_pb2

from infra.engine.deploy import urns
from infra.engine.deploy.errors import DeploymentError, StoppedError
from infra.engine.deploy.registration import Reading, Registered, Result
from infra.engine.protocol.messages import provider_pb2, resource_pb2, resource_pb2_grpc
from infra.engine.protocol.monitor import requests
from infra.engine.protocol.monitor.callbacks import Callbacks, Transform
from infra.engine.protocol.monitor.positions import Positions
from infra.engine.protocol.monitor.requests import Inherited, InvalidRequestError
from infra.engine.providers.contract import Provider, ProviderError
from infra.engine.providers.defaults import DefaultDeniedError, Defaults, versioned
from infra.engine.values import Properties
from infra.engine.values.assets import AssetError, contains_files, with_hashes
from infra.engine.values.compare import contains_unknown
from infra.engine.values.wire import Accepts, decode, encode, flatten

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

_SKIP = 2
"""Not in the messages of every SDK.

Enumerations are open, and any that is no success is told to the program.
"""

_RESULTS: dict[Result, Any] = {
    Result.SUCCEEDED: resource_pb2.SUCCESS,
    Result.FAILED: resource_pb2.FAIL,
    Result.SKIPPED: _SKIP,
}
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


@dataclass(frozen=True, slots=True)
class _Package:
    name: str
    version: str
    url: str


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Serves one program of one deployment.

    ``finished`` is set when the program has asked for all that it is going to ask for; it then waits for
    ``released``.
    """

    def __init__(self, deployment: Deployment, defaults: Defaults) -> None:
        self._deployment = deployment
        self._defaults = defaults
        self._callbacks = Callbacks()
        program = deployment.request.program
        self._root = program.root if program else None
        self._positions = Positions(self._root)
        self._known: dict[str, Inherited] = {}
        self._transforms: dict[str, list[Transform]] = {}
        self._stack_transforms: list[Transform] = []
        self._invoke_transforms: list[Callable[[str, Properties, Any], Any]] = []
        self._packages: dict[str, _Package] = {}
        self.finished = anyio.Event()
        self.released = anyio.Event()

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
        if request.remote:
            raise DeploymentError(
                f"{request.type} is a component of a plugin's, "
                "which the embedded engine doesn't serve; use the Pulumi CLI"
            )
        if request.state_migrations:
            raise DeploymentError("state migrations are not supported by this deployment")
        parent = requests.check_urn(request.parent, "parent")
        if request.custom:
            requests.check_type(request.type)
        requests.inherit(request, self._known.get(parent))
        properties = await self._properties(request.object, outputs=True)
        depends = requests.property_dependencies(request, properties)
        provider = self._provider_of(request, parent) if request.custom else request.provider
        given = requests.options(request, provider)
        transforms = [self._callbacks.transform(callback) for callback in request.transforms]
        properties, given = await self._transformed(request, properties, depends, given, transforms)
        self._inherit_providers(request, parent, given)
        dependencies, by_property = requests.all_dependencies(request, given, properties, depends)
        properties = {key: flatten(value) for key, value in properties.items()}
        if urns.is_provider(request.type):
            package = self._packages.get(request.packageRef)
            version, url = given.version, given.plugin_download_url
            properties = versioned(properties, version or (package.version if package else ""), url)
            reference = ""
        elif request.custom:
            reference = given.provider or await self._default(request, given)
        else:
            reference = ""
        position, stack = self._positions.of(request)
        wanted = replace(
            requests.registration(request, given),
            properties=properties,
            provider=reference,
            dependencies=dependencies,
            property_dependencies=by_property,
            source_position=position,
            stack_trace=stack,
        )
        made = await self._deployment.register(wanted)
        if made.result is not Result.SUCCEEDED and not request.supportsResultReporting:
            raise DeploymentError("resource registration failed")
        self._transforms[made.urn] = transforms
        self._known[made.urn] = Inherited(
            protect=given.protect if given.HasField("protect") else None,
            retain_on_delete=given.retain_on_delete if given.HasField("retain_on_delete") else None,
            deleted_with=given.deleted_with,
            provider=reference,
            providers={} if request.custom else dict(given.providers),
            parent=parent,
        )
        return self._registered(request, made)

    async def _properties(self, struct: Any, outputs: bool) -> Properties:
        properties = decode(struct, outputs)
        if any(contains_files(item) for item in properties.values()):
            return await anyio.to_thread.run_sync(with_hashes, properties, self._root or Path.cwd())
        return properties

    def _provider_of(self, request: Any, parent: str) -> str:
        package = urns.package_of(request.type)
        above = self._known.get(parent)
        provider: str = (
            request.provider
            or request.providers.get(package, "")
            or (above.providers.get(package, "") if above else "")
        )
        return provider

    async def _transformed(
        self,
        request: Any,
        properties: Properties,
        depends: requests.PropertyDependencies,
        given: Any,
        own: list[Transform],
    ) -> tuple[Properties, Any]:
        """Run the resource's transforms, its ancestors', and the stack's, in that order."""
        transforms = list(own)
        above = request.parent
        while above:
            transforms += self._transforms.get(above, [])
            known = self._known.get(above)
            above = known.parent if known else ""
        transforms += self._stack_transforms
        if request.transforms:
            properties = requests.upgraded(properties, depends)
        for transform in transforms:
            properties, given = await transform(
                request.name, request.type, request.custom, request.parent, properties, given
            )
        return properties, given

    def _inherit_providers(self, request: Any, parent: str, given: Any) -> None:
        above = self._known.get(parent)
        if request.custom or above is None:
            return
        for package, provider in above.providers.items():
            if package not in given.providers:
                given.providers[package] = provider

    async def _default(self, request: Any, given: Any) -> str:
        package = self._package(request.packageRef)
        if package is not None:
            name, version, url = package.name, package.version, package.url
        else:
            name, version, url = urns.package_of(request.type), given.version, given.plugin_download_url
        try:
            return await self._defaults.reference(name, version, url)
        except DefaultDeniedError as error:
            urn = self._deployment.planner.naming.urn(request.parent, request.type, request.name)
            message = (
                f"Default provider for '{error.package}' disabled. '{urn}' must use an explicit provider."
            )
            self._deployment.fail(DeploymentError(message, urn), urn)
            raise StoppedError from error

    def _package(self, reference: str) -> _Package | None:
        if not reference:
            return None
        if reference not in self._packages:
            raise DeploymentError(f"unknown provider package '{reference}'")
        return self._packages[reference]

    def _registered(self, request: Any, made: Registered) -> Any:
        outputs = made.outputs
        if not request.supportsPartialValues:
            outputs = {key: value for key, value in outputs.items() if not contains_unknown(value)}
        accepts = Accepts(secrets=request.acceptSecrets, resources=request.acceptResources)
        return resource_pb2.RegisterResourceResponse(
            urn=made.urn,
            id=made.id,
            object=encode(outputs, accepts),
            result=_RESULTS[made.result],
            unknown=made.unknown,
        )

    @_answering
    async def ReadResource(self, request: Any, context: Any) -> Any:
        type_ = requests.check_type(request.type)
        parent = requests.check_urn(request.parent, "parent")
        provider = request.provider
        if not provider:
            package = self._package(request.packageRef)
            provider = (
                await self._defaults.reference(package.name, package.version, package.url)
                if package
                else await self._defaults.reference(
                    urns.package_of(type_), request.version, request.pluginDownloadURL
                )
            )
        position, stack = self._positions.of(request)
        made = await self._deployment.read(
            Reading(
                type=type_,
                name=request.name,
                id=request.id,
                properties=decode(request.properties),
                parent=parent,
                provider=provider,
                dependencies=tuple(requests.check_urn(urn, "dependency") for urn in request.dependencies),
                additional_secret_outputs=tuple(request.additionalSecretOutputs),
                source_position=position,
                stack_trace=stack,
            )
        )
        self._known[made.urn] = Inherited(parent=parent)
        accepts = Accepts(secrets=request.acceptSecrets, resources=request.acceptResources)
        return resource_pb2.ReadResourceResponse(urn=made.urn, properties=encode(made.outputs, accepts))

    @_answering
    async def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        urn = requests.check_urn(request.urn, "resource")
        await self._deployment.register_outputs(urn, await self._properties(request.outputs, outputs=False))
        return empty_pb2.Empty()

    @_answering
    async def Invoke(self, request: Any, context: Any) -> Any:
        arguments = decode(request.args)
        package = urns.package_of(request.tok)
        above = self._known.get(request.parent)
        options = resource_pb2.TransformInvokeOptions(
            provider=request.provider or (above.providers.get(package, "") if above else ""),
            version=request.version,
            plugin_download_url=request.pluginDownloadURL,
        )
        for transform in self._invoke_transforms:
            arguments, options = await transform(request.tok, arguments, options)
        provider = await self._callee(request, options.provider, options.version, options.plugin_download_url)
        if self._undecided(request.dependsOn):
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        try:
            called = await provider.invoke(request.tok, arguments)
        except ProviderError as error:
            raise DeploymentError(f"invocation of {request.tok} returned an error: {error}") from error
        keeps = request.acceptResources or request.tok == "pulumi:pulumi:getResource"
        return resource_pb2.ResourceInvokeResponse(
            failures=[
                provider_pb2.CheckFailure(property=each.property, reason=each.reason)
                for each in called.failures
            ],
            **{"return": encode(called.result, Accepts(resources=keeps))},
        )

    def _undecided(self, depends_on: Any) -> bool:
        """In a preview, whether a call is to wait for a resource that is only going to be made."""
        decided = self._deployment.decisions
        return self._deployment.preview and any(
            urn in decided.creates or urn in decided.replaces for urn in depends_on
        )

    async def _callee(self, request: Any, reference: str, version: str, url: str) -> Provider:
        if not reference:
            package = self._package(request.packageRef)
            name = urns.package_of(request.tok)
            try:
                reference = await (
                    self._defaults.reference(package.name, package.version, package.url)
                    if package
                    else self._defaults.reference(name, version, url)
                )
            except DefaultDeniedError as error:
                raise DeploymentError(
                    f"Default provider for '{error.package}' disabled. "
                    f"'{request.tok}' must use an explicit provider."
                ) from error
        provider = self._deployment.registry.get(reference)
        if provider is None:
            raise DeploymentError(f"unknown provider '{reference}'")
        return provider

    @_answering
    async def Call(self, request: Any, context: Any) -> Any:
        itself = request.args.fields.get("__self__") if request.HasField("args") else None
        reference = request.provider
        if not reference and itself is not None:
            known = self._known.get(itself.struct_value.fields["urn"].string_value)
            reference = known.provider if known else ""
        provider = await self._callee(request, reference, request.version, request.pluginDownloadURL)
        called = await provider.call(request.tok, decode(request.args))
        return provider_pb2.CallResponse(
            failures=[
                provider_pb2.CheckFailure(property=each.property, reason=each.reason)
                for each in called.failures
            ],
            **{"return": encode(called.result)},
        )

    @_answering
    async def RegisterStackTransform(self, request: Any, context: Any) -> Any:
        self._stack_transforms.append(self._callbacks.transform(request))
        return empty_pb2.Empty()

    @_answering
    async def RegisterStackInvokeTransform(self, request: Any, context: Any) -> Any:
        self._invoke_transforms.append(self._callbacks.invoke_transform(request))
        return empty_pb2.Empty()

    @_answering
    async def RegisterResourceHook(self, request: Any, context: Any) -> Any:
        self._deployment.hooks.register(self._callbacks.hook(request))
        return empty_pb2.Empty()

    @_answering
    async def RegisterErrorHook(self, request: Any, context: Any) -> Any:
        self._deployment.hooks.register(self._callbacks.error_hook(request))
        return empty_pb2.Empty()

    @_answering
    async def RegisterPackage(self, request: Any, context: Any) -> Any:
        if not request.name:
            raise DeploymentError("package name is empty")
        if request.HasField("parameterization") or request.HasField("extension"):
            raise DeploymentError(
                f"package {request.name} is parameterized, "
                "which the embedded engine doesn't serve; use the Pulumi CLI"
            )
        package = _Package(request.name, request.version, request.download_url)
        for reference, known in self._packages.items():
            if known == package:
                return resource_pb2.RegisterPackageResponse(ref=reference)
        reference = str(uuid.uuid4())
        self._packages[reference] = package
        return resource_pb2.RegisterPackageResponse(ref=reference)

    async def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        self.finished.set()
        await self.released.wait()
        return empty_pb2.Empty()
