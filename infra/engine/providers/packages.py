"""Which provider serves which package: in this process, in the program's own interpreter, or in a plugin."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from infra.engine.protocol.program.python import Interpreter
from infra.engine.providers import locate
from infra.engine.providers.builtin import Builtin
from infra.engine.providers.contract import Provider, ProviderError

if TYPE_CHECKING:
    from infra.engine.deploy.contract import UpdateRequest
    from infra.engine.deploy.deployment import Deployment
    from infra.engine.display.events import Severity
    from infra.engine.state.model import Resource

DYNAMIC: Final = "pulumi-python"

IN_PROCESS: Final = {
    "command": "infra.engine.providers.command",
    "gcp": "infra.engine.providers.gcp",
    "random": "infra.engine.providers.random",
}
"""Package to the module that serves it, which has a function ``provider()``."""


class Packages:
    """Finds and starts the providers that an update needs."""

    def __init__(self, request: UpdateRequest) -> None:
        self._request = request
        self._deployment: Deployment | None = None
        self.engine_address = "127.0.0.1:0"

    def serve_state(self, deployment: Deployment) -> None:
        """Let the builtin functions look at the deployment's resources."""
        self._deployment = deployment
        present = {resource.type.partition(":")[0] for resource in deployment.ledger.found()}
        for package in sorted(present & IN_PROCESS.keys()):
            # They will be asked for, and nothing else is to be done while the program starts.
            Thread(target=importlib.import_module, args=(IN_PROCESS[package],), daemon=True).start()

    def _resource(self, urn: str) -> Resource | None:
        return self._deployment.ledger.new(urn) if self._deployment else None

    def _say(self, severity: Severity, line: str) -> None:
        """Pass on what a plugin prints, as if the program had."""
        if self._deployment is not None:
            self._deployment.report.message(severity, f"{line}\n", "", 0, ephemeral=False)

    async def load(self, package: str, version: str) -> Provider:
        """A new provider for ``package``. Raises ProviderError, naming a remedy, if nothing serves it."""
        if package == "pulumi":
            return Builtin(self._request.stacks, self._resource)
        if package == DYNAMIC:
            return await self._dynamic()
        if (folder := self._folders.get(package)) is not None:
            return await self._in_folder(package, folder)
        if package in IN_PROCESS:
            return self._in_process(package, version)
        program = locate.plugin(package, version)
        if program is None:
            raise ProviderError(_missing(package, version))
        # Late, because gRPC's client is slow to import and most programs need none.
        from infra.engine.providers.plugin import launch

        root = self._request.program.root if self._request.program else Path.cwd()
        return await launch(package, [str(program), self.engine_address], root, os.environ, self._say)

    @property
    def _folders(self) -> Mapping[str, Path]:
        return self._request.program.plugins if self._request.program else {}

    async def _in_folder(self, package: str, folder: Path) -> Provider:
        """A provider that Pulumi.yaml names by its folder: a program of its own, or one in Python."""
        from infra.engine.providers.plugin import launch

        command, environment = locate.in_folder(package, folder)
        root = self._request.program.root if self._request.program else Path.cwd()
        return await launch(package, [*command, self.engine_address], root, environment, self._say)

    def _in_process(self, package: str, version: str) -> Provider:
        module = importlib.import_module(IN_PROCESS[package])
        provider: Provider = module.provider()
        provider.version = provider.version or version
        return provider

    async def _dynamic(self) -> Provider:
        program = self._request.program
        if program is None:
            raise ProviderError(
                "dynamic resources are served by the project's own Python environment: "
                "run this in the project's folder, where Pulumi.yaml is"
            )
        from infra.engine.providers.plugin import launch

        interpreter = Interpreter.of(program)
        command = [*interpreter.command, "-u", "-m", "pulumi.dynamic", self.engine_address]
        environment = {**interpreter.environment, "PULUMI_PROJECT": self._request.project}
        return await launch(DYNAMIC, command, program.root, environment, self._say)


def _missing(package: str, version: str) -> str:
    served = ", ".join(sorted(IN_PROCESS))
    exact = f" v{version}" if version else ""
    return (
        f"no provider for package '{package}' is at hand: the embedded engine serves {served} itself, "
        "and any other by "
        f"its plugin; install it with `pulumi plugin install resource {package}{exact}` of the Pulumi CLI, "
        f"or put pulumi-resource-{package} on PATH"
    )
