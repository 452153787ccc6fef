"""Packages that a program names, and the default providers of those that it names no provider for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from infra.engine.deploy.errors import DeploymentError
from infra.engine.providers.defaults import Defaults


@dataclass(frozen=True, slots=True)
class Package:
    """Where a provider comes from."""

    name: str
    version: str
    url: str


class Packages:
    """The packages of one program, by the references that it was given for them."""

    def __init__(self, defaults: Defaults) -> None:
        self._defaults = defaults
        self._packages: dict[str, Package] = {}

    def register(self, request: Any) -> str:
        """The reference of a package, the same for one that was registered before.

        Raises DeploymentError for one that isn't served.
        """
        if not request.name:
            raise DeploymentError("package name is empty")
        if request.HasField("parameterization") or request.HasField("extension"):
            raise DeploymentError(
                f"package {request.name} is parameterized, "
                "which the embedded engine doesn't serve; use the Pulumi CLI"
            )
        package = Package(request.name, request.version, request.download_url)
        for reference, known in self._packages.items():
            if known == package:
                return reference
        reference = str(uuid.uuid4())
        self._packages[reference] = package
        return reference

    def get(self, reference: str) -> Package | None:
        """The package of that reference, None for no reference. Raises DeploymentError for an unknown one."""
        if not reference:
            return None
        if reference not in self._packages:
            raise DeploymentError(f"unknown provider package '{reference}'")
        return self._packages[reference]

    async def default(self, reference: str, name: str, version: str, url: str) -> str:
        """The default provider of the package of that reference, else of the one that is named.

        Raises DefaultDeniedError where the configuration rules default providers out.
        """
        package = self.get(reference)
        if package is not None:
            name, version, url = package.name, package.version, package.url
        return await self._defaults.reference(name, version, url)
