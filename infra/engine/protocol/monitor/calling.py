"""Functions that a program calls: a provider's, or a resource's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from infra.engine.deploy import urns
from infra.engine.deploy.errors import DeploymentError, StoppedError
from infra.engine.protocol.messages import provider_pb2, resource_pb2
from infra.engine.protocol.monitor import remote
from infra.engine.protocol.monitor.packages import Packages
from infra.engine.protocol.monitor.remote import Remote
from infra.engine.protocol.monitor.requests import Inherited
from infra.engine.providers.contract import Provider, ProviderError
from infra.engine.providers.defaults import DefaultDeniedError
from infra.engine.values import Properties
from infra.engine.values.wire import Accepts, decode, encode

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment


class Calling:
    """Makes one program's calls; ``transforms`` are those that it registered for all of them."""

    def __init__(self, deployment: Deployment, packages: Packages, known: Mapping[str, Inherited]) -> None:
        self._deployment = deployment
        self._packages = packages
        self._known = known
        self.address = ""
        """Where the monitor listens: a method may register resources."""
        self.transforms: list[Callable[[str, Properties, Any], Any]] = []

    async def invoke(self, request: Any) -> Any:
        """Answer a ResourceInvokeRequest."""
        arguments = decode(request.args)
        package = urns.package_of(request.tok)
        above = self._known.get(request.parent)
        options = resource_pb2.TransformInvokeOptions(
            provider=request.provider or (above.providers.get(package, "") if above else ""),
            version=request.version,
            plugin_download_url=request.pluginDownloadURL,
        )
        for transform in self.transforms:
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

    async def call(self, request: Any) -> Any:
        """Answer a ResourceCallRequest."""
        itself = request.args.fields.get("__self__") if request.HasField("args") else None
        reference = request.provider
        if not reference and itself is not None:
            known = self._known.get(itself.struct_value.fields["urn"].string_value)
            reference = known.provider if known else ""
        provider = await self._callee(request, reference, request.version, request.pluginDownloadURL)
        deployment = self._deployment
        asked = Remote(deployment.request, deployment.preview, self.address)
        try:
            return remote.called(await provider.call(asked.call(request)))
        except ProviderError as error:
            if not deployment.stopped.is_set():
                deployment.fail(DeploymentError(f"call to function '{request.tok}' failed: {error}"))
            raise StoppedError from error

    def _undecided(self, depends_on: Any) -> bool:
        """In a preview, whether a call is to wait for a resource that is only going to be made."""
        decided = self._deployment.decisions
        return self._deployment.preview and any(
            urn in decided.creates or urn in decided.replaces for urn in depends_on
        )

    async def _callee(self, request: Any, reference: str, version: str, url: str) -> Provider:
        if not reference:
            name = urns.package_of(request.tok)
            try:
                reference = await self._packages.default(request.packageRef, name, version, url)
            except DefaultDeniedError as error:
                raise DeploymentError(
                    f"Default provider for '{error.package}' disabled. "
                    f"'{request.tok}' must use an explicit provider."
                ) from error
        provider = self._deployment.registry.get(reference)
        if provider is None:
            raise DeploymentError(f"unknown provider '{reference}'")
        return provider
