"""The servers of one deployment, and the program that runs against them."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio
import grpc.aio

from infra.engine.deploy.errors import DeploymentError
from infra.engine.protocol.channel import OPTIONS
from infra.engine.protocol.engine import Engine
from infra.engine.protocol.errors import ProgramFailedError
from infra.engine.protocol.messages import engine_pb2_grpc, resource_pb2_grpc
from infra.engine.protocol.monitor.service import Monitor
from infra.engine.protocol.program import process
from infra.engine.providers.defaults import Defaults

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment

_NO_GRACE = 0.0


class Servers:
    """ResourceMonitor and Engine on one port of this machine alone, for as long as the context lasts."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.defaults = Defaults(deployment)
        self._monitor = Monitor(deployment, self.defaults)
        self._group = anyio.create_task_group()
        self._ended: anyio.Event | None = None
        self._server: grpc.aio.Server | None = None
        self.address = ""

    async def __aenter__(self) -> Self:
        server = self._server = grpc.aio.server(options=OPTIONS)
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(self._monitor, server)
        engine_pb2_grpc.add_EngineServicer_to_server(Engine(self._deployment), server)
        self.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        self._monitor.serve_at(self.address)
        await server.start()
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is not None:
            self._group.cancel_scope.cancel()
        self.release_program()
        try:
            return await self._group.__aexit__(kind, error, trace)
        finally:
            with anyio.CancelScope(shield=True):
                await self._monitor.close()
                if self._server is not None:
                    await self._server.stop(_NO_GRACE)

    async def run_program(self) -> None:
        """Run the program until it has asked for all that it will, has failed, or nothing new is to be begun.

        How it ended is told; ``failed`` of the deployment says whether that was badly.
        """
        self._ended = anyio.Event()
        self._group.start_soon(self._run, self._ended)
        async with anyio.create_task_group() as waiting:

            async def until(event: anyio.Event) -> None:
                await event.wait()
                waiting.cancel_scope.cancel()

            waiting.start_soon(until, self._ended)
            waiting.start_soon(until, self._monitor.finished)
        if self._deployment.stopped.is_set():
            await self._ended.wait()
        await self._deployment.settled()

    async def _run(self, ended: anyio.Event) -> None:
        deployment = self._deployment
        try:
            await process.run(deployment.request, self.address, deployment.report, deployment.stopped)
        except ProgramFailedError as error:
            if error.told:
                deployment.failed = deployment.bailed = True
                deployment.stop()
            else:
                deployment.fail(error)
        except DeploymentError as error:
            deployment.fail(error)
        finally:
            ended.set()

    def release_program(self) -> None:
        """Let the program end, which waits once it has asked for everything.

        So that its hooks can be called.
        """
        self._monitor.released.set()

    async def finish_program(self) -> None:
        """Wait until the program has ended."""
        self.release_program()
        if self._ended is not None:
            await self._ended.wait()
