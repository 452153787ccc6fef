"""A program behind a language runtime that listens already: the Automation API's inline programs."""

from __future__ import annotations

import anyio
import grpc.aio

from infra.engine.deploy.contract import UpdateRequest
from infra.engine.deploy.errors import DeploymentError
from infra.engine.protocol.channel import OPTIONS
from infra.engine.protocol.errors import ProgramFailedError
from infra.engine.protocol.messages import language_pb2, language_pb2_grpc


async def run(request: UpdateRequest, address: str, stopping: anyio.Event) -> None:
    """Have the runtime at the program's address run it against the servers at ``address``.

    Raises ProgramFailedError when it fails: it has told why itself.
    """
    program = request.program
    if program is None:
        raise DeploymentError("there is no program to run")
    message = language_pb2.RunRequest(
        project=request.project,
        stack=request.stack,
        organization=request.organization,
        pwd=str(program.root),
        program=program.main or ".",
        args=[address],
        config=dict(request.config),
        configSecretKeys=sorted(request.secret_config),
        dryRun=request.kind == "preview",
        parallel=request.parallel,
        monitor_address=address,
    )
    async with grpc.aio.insecure_channel(program.address, options=OPTIONS) as channel:
        stub = language_pb2_grpc.LanguageRuntimeStub(channel)
        try:
            response = await stub.Run(message)
        except grpc.aio.AioRpcError as error:
            if stopping.is_set():
                return
            raise ProgramFailedError(
                f"the program's language runtime at {program.address} does not answer: {error.details()}",
                told=False,
            ) from error
    if stopping.is_set():
        return
    if response.bail:
        raise ProgramFailedError("the program has failed", told=True)
    if response.error:
        raise ProgramFailedError(f"an unhandled error occurred: {response.error}", told=False)
