"""Resources that a program registers or reads: what it sends, made complete, to the deployment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from infra.engine.deploy import urns
from infra.engine.deploy.errors import DeploymentError, StoppedError
from infra.engine.deploy.registration import Reading, Registered, Result
from infra.engine.protocol.messages import resource_pb2
from infra.engine.protocol.monitor import remote, requests
from infra.engine.protocol.monitor.callbacks import Callbacks, Transform
from infra.engine.protocol.monitor.packages import Packages
from infra.engine.protocol.monitor.positions import Positions
from infra.engine.protocol.monitor.remote import Remote
from infra.engine.protocol.monitor.requests import Inherited
from infra.engine.providers.contract import ProviderError
from infra.engine.providers.defaults import DefaultDeniedError, versioned
from infra.engine.values import Properties
from infra.engine.values.assets import contains_files, with_hashes
from infra.engine.values.wire import Accepts, decode, encode, flatten

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment

_SKIP = 2
"""Not in the messages of every SDK.

Enumerations are open, and any that is no success is told to the program.
"""

_RESULTS: dict[Result, Any] = {
    Result.SUCCEEDED: resource_pb2.SUCCESS,
    Result.FAILED: resource_pb2.FAIL,
    Result.SKIPPED: _SKIP,
}


class Registering:
    """Takes one program's registrations; ``known`` is what children inherit, by URN."""

    def __init__(self, deployment: Deployment, packages: Packages, callbacks: Callbacks) -> None:
        self._deployment = deployment
        self._packages = packages
        self._callbacks = callbacks
        program = deployment.request.program
        self._root = program.root if program else None
        self._positions = Positions(self._root)
        self._transforms: dict[str, list[Transform]] = {}
        self.known: dict[str, Inherited] = {}
        self._asked: dict[tuple[str, str, str], list[Transform]] = {}
        self.stack_transforms: list[Transform] = []
        self.address = ""
        """Where this monitor listens: providers that make components register what is in them."""

    async def register(self, request: Any) -> Any:
        """Answer a RegisterResourceRequest."""
        if request.state_migrations:
            raise DeploymentError("state migrations are not supported by this deployment")
        parent = requests.check_urn(request.parent, "parent")
        served = request.custom or request.remote  # by a provider, whose name is in the type
        if served:
            requests.check_type(request.type)
        requests.inherit(request, self.known.get(parent))
        properties = await self.properties(request.object, outputs=True)
        depends = requests.property_dependencies(request, properties)
        provider = self._provider_of(request, parent) if served else request.provider
        given = requests.options(request, provider)
        transforms = self._own_transforms(request)
        properties, given = await self._transformed(request, properties, depends, given, transforms)
        self._inherit_providers(request, parent, given)
        dependencies, by_property = requests.all_dependencies(request, given, properties, depends)
        if request.remote:
            return await self._construct(request, given, properties, (dependencies, by_property))
        properties = {key: flatten(value) for key, value in properties.items()}
        reference = ""
        if urns.is_provider(request.type):
            properties = self._versioned(request, given, properties)
        elif request.custom:
            reference = given.provider or await self._default(request, given)
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
        self.known[made.urn] = requests.inherited(request, given, reference)
        return self._registered(request, made)

    def _own_transforms(self, request: Any) -> list[Transform]:
        """The transforms that the resource was given, if need be when a program asked a provider for it."""
        place = (request.parent, request.type, request.name)
        if (asked := self._asked.pop(place, None)) is not None:
            return asked
        transforms = [self._callbacks.transform(callback) for callback in request.transforms]
        if request.remote and transforms:
            self._asked[place] = transforms
        return transforms

    async def _construct(
        self,
        request: Any,
        given: Any,
        properties: Properties,
        depends: tuple[tuple[str, ...], dict[str, tuple[str, ...]]],
    ) -> Any:
        """Have its provider make a component, which registers it, and all that is in it, by itself."""
        reference = given.provider or await self._default(request, given)
        provider = self._deployment.registry.get(reference)
        if provider is None:
            raise DeploymentError(f"unknown provider '{reference}'")
        deployment = self._deployment
        asked = Remote(deployment.request, deployment.preview, self.address)
        try:
            answer = await provider.construct(asked.construct(request, given, properties, depends))
        except ProviderError as error:
            if not deployment.stopped.is_set():  # otherwise what stopped it has been told
                problem = f"{request.type} resource '{request.name}' has a problem: {error}"
                deployment.fail(DeploymentError(problem))
            raise StoppedError from error
        known = self.known.get(answer.urn, Inherited(parent=request.parent))
        self.known[answer.urn] = replace(known, provider=reference)
        return remote.constructed(request, answer)

    async def properties(self, struct: Any, outputs: bool) -> Properties:
        """The properties that the program sends, its files hashed."""
        properties = decode(struct, outputs)
        if any(contains_files(item) for item in properties.values()):
            return await anyio.to_thread.run_sync(with_hashes, properties, self._root or Path.cwd())
        return properties

    def _provider_of(self, request: Any, parent: str) -> str:
        package = urns.package_of(request.type)
        above = self.known.get(parent)
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
            known = self.known.get(above)
            above = known.parent if known else ""
        transforms += self.stack_transforms
        if request.transforms:
            properties = requests.upgraded(properties, depends)
        for transform in transforms:
            properties, given = await transform(
                request.name, request.type, request.custom, request.parent, properties, given
            )
        return properties, given

    def _versioned(self, request: Any, given: Any, properties: Properties) -> Properties:
        """A provider's own properties with the version that it is to have."""
        package = self._packages.get(request.packageRef)
        version = given.version or (package.version if package else "")
        return versioned(properties, version, given.plugin_download_url)

    def _inherit_providers(self, request: Any, parent: str, given: Any) -> None:
        above = self.known.get(parent)
        if request.custom or above is None:
            return
        for package, provider in above.providers.items():
            if package not in given.providers:
                given.providers[package] = provider

    async def _default(self, request: Any, given: Any) -> str:
        name = urns.package_of(request.type)
        try:
            return await self._packages.default(
                request.packageRef, name, given.version, given.plugin_download_url
            )
        except DefaultDeniedError as error:
            urn = self._deployment.planner.naming.urn(request.parent, request.type, request.name)
            message = (
                f"Default provider for '{error.package}' disabled. '{urn}' must use an explicit provider."
            )
            self._deployment.fail(DeploymentError(message, urn), urn)
            raise StoppedError from error

    def _registered(self, request: Any, made: Registered) -> Any:
        return resource_pb2.RegisterResourceResponse(
            urn=made.urn,
            id=made.id,
            object=requests.encoded(request, made.outputs),
            result=_RESULTS[made.result],
            unknown=made.unknown,
        )

    async def read(self, request: Any) -> Any:
        """Answer a ReadResourceRequest."""
        type_ = requests.check_type(request.type)
        parent = requests.check_urn(request.parent, "parent")
        provider = request.provider
        if not provider:
            provider = await self._packages.default(
                request.packageRef, urns.package_of(type_), request.version, request.pluginDownloadURL
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
        self.known[made.urn] = Inherited(parent=parent)
        accepts = Accepts(secrets=request.acceptSecrets, resources=request.acceptResources)
        return resource_pb2.ReadResourceResponse(urn=made.urn, properties=encode(made.outputs, accepts))
