"""Default providers: made by the engine.

One for each package and version that a program uses without naming one.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import anyio

from infra.engine.deploy import urns
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.registration import Registration
from infra.engine.providers.packages import DYNAMIC
from infra.engine.providers.registry import INTERNAL, VERSION
from infra.engine.values import Properties, Secret, Value

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment

_SEMVER = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?")


class Defaults:
    """The default providers of one deployment, registered as resources when they are first needed."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._made: dict[tuple[str, str, str], str] = {}
        self._making = anyio.Lock()

    async def reference(self, package: str, version: str, url: str = "") -> str:
        """The default provider of ``package``, as ``URN::ID``.

        Raises DeploymentError when the configuration denies it, or the version is none.
        """
        self._permitted(package)
        key = (package, version, url)
        async with self._making:
            if key not in self._made:
                made = await self._deployment.register(
                    Registration(
                        urns.PROVIDER_PREFIX + package,
                        _name(version, url),
                        custom=True,
                        properties=self._configuration(package, version, url),
                    )
                )
                self._made[key] = urns.reference(made.urn, made.id)
            return self._made[key]

    def _permitted(self, package: str) -> None:
        denied = self._deployment.request.config.get("pulumi:disable-default-providers", "")
        if not denied or package == "pulumi":
            return
        try:
            names = [str(name).strip() for name in json.loads(denied)]
        except (ValueError, TypeError) as error:
            raise DeploymentError(f"Failed to parse {denied}: {error}") from error
        if "*" in names or package in names:
            raise DefaultDeniedError(package)

    def _configuration(self, package: str, version: str, url: str) -> Properties:
        request = self._deployment.request
        inputs: Properties = {}
        for key, text in request.config.items():
            namespace, _, name = key.partition(":")
            value: Value = Secret(text) if key in request.secret_config else text
            if package == DYNAMIC:
                inputs[key] = value
            elif namespace == package:
                inputs[name] = value
        return versioned(inputs, version, url)


class DefaultDeniedError(DeploymentError):
    """The stack's configuration wants an explicit provider for ``package``."""

    def __init__(self, package: str) -> None:
        super().__init__(f"Default provider for '{package}' disabled. It must use an explicit provider.")
        self.package = package


def versioned(inputs: Properties, version: str, url: str) -> Properties:
    """A provider's inputs with which plugin serves it."""
    internal: Properties = {}
    known = inputs.get(INTERNAL)
    if isinstance(known, dict):
        internal = dict(known)
    if url:
        internal["pluginDownloadURL"] = url
    if version:
        inputs = {**inputs, VERSION: version}
    return {**inputs, INTERNAL: internal} if version or url else inputs


def _name(version: str, url: str) -> str:
    """``default_6_1_0`` and the like: a provider of another version is another resource."""
    name = "default"
    if version:
        parts = _SEMVER.fullmatch(version)
        if parts is None:
            raise DeploymentError(f"a provider's version has to be a semantic version, not '{version}'")
        words = [part for group in parts.groups() if group for part in group.split(".")]
        name += "_" + "_".join(words)
    if url:
        name += "_" + re.sub(r"[^A-Za-z0-9_.-]", "_", url)
    return name
