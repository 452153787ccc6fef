"""A provider in a process of its own, spoken to over gRPC (provider.proto)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.abc
import grpc
import grpc.aio
from google.protobuf import empty_pb2, struct_pb2

from infra.engine.protocol import status
from infra.engine.protocol.channel import OPTIONS
from infra.engine.protocol.messages import provider_pb2, provider_pb2_grpc
from infra.engine.protocol.program import tether
from infra.engine.providers.contract import (
    Called,
    Checked,
    Created,
    Diff,
    Difference,
    Failure,
    Found,
    InitError,
    PropertyDifference,
    Provider,
    ProviderError,
    Target,
)
from infra.engine.providers.said import GRACE_SECONDS, Said, Say
from infra.engine.values import Properties, Value
from infra.engine.values.compare import bare
from infra.engine.values.wire import Accepts, decode, encode

_TETHER = Path(tether.__file__)
_STATUS_DETAILS = "grpc-status-details-bin"
_Answer = TypeVar("_Answer")
_KINDS = {
    provider_pb2.PropertyDiff.ADD: Difference.ADD,
    provider_pb2.PropertyDiff.ADD_REPLACE: Difference.ADD_REPLACE,
    provider_pb2.PropertyDiff.DELETE: Difference.DELETE,
    provider_pb2.PropertyDiff.DELETE_REPLACE: Difference.DELETE_REPLACE,
    provider_pb2.PropertyDiff.UPDATE: Difference.UPDATE,
    provider_pb2.PropertyDiff.UPDATE_REPLACE: Difference.UPDATE_REPLACE,
}


async def launch(
    package: str, command: Sequence[str], directory: Path, environment: Mapping[str, str], say: Say
) -> Plugin:
    """Start a plugin, which prints the port that it listens on, and ends with this process at the latest.

    Raises ProviderError if it doesn't start.
    """
    process = await anyio.open_process(
        [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *command],
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    said = Said(process, say)
    port = await said.first_line()
    if not port.isdigit():
        code = await process.wait()
        await said.close()
        raise ProviderError(
            f"could not start the provider of package {package} ({command[0]}): exit code {code}"
        )
    return Plugin(package, f"127.0.0.1:{int(port)}", process, said)


class Plugin(Provider):
    """A plugin that is running, as a provider."""

    secrets = True

    def __init__(
        self,
        package: str,
        address: str,
        process: anyio.abc.Process | None = None,
        said: Said | None = None,
    ) -> None:
        self.package = package
        self._process = process
        self._said = said
        self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self._stub: Any = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._accepts = Accepts(resources=False)

    def _encode(self, properties: Properties) -> struct_pb2.Struct:
        return encode(properties, self._accepts)

    async def _ask(self, call: Awaitable[_Answer]) -> _Answer:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from error

    async def check_config(self, target: Target, olds: Properties, news: Properties) -> Checked:
        request = provider_pb2.CheckRequest(
            urn=target.urn, name=target.name, type=target.type, olds=encode(olds), news=encode(news)
        )
        try:
            answer = await self._stub.CheckConfig(request)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return Checked(news)
            raise _translated(error) from error
        return Checked(decode(answer.inputs), _failures(answer.failures))

    async def diff_config(
        self, target: Target, olds: Properties, news: Properties, ignored: Sequence[str]
    ) -> Diff:
        request = provider_pb2.DiffRequest(
            urn=target.urn,
            name=target.name,
            type=target.type,
            old_inputs=encode(olds),
            olds=encode(olds),
            news=encode(news),
            ignoreChanges=ignored,
        )
        try:
            return _diff(await self._stub.DiffConfig(request))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return Diff()
            raise _translated(error) from error

    async def configure(self, inputs: Properties) -> None:
        variables = {
            f"{self.package}:config:{key}": _variable(value)
            for key, value in inputs.items()
            if key != "version"
        }
        request = provider_pb2.ConfigureRequest(
            variables=variables,
            args=encode(inputs),
            acceptSecrets=True,
            acceptResources=True,
            sends_old_inputs=True,
            sends_old_inputs_to_delete=True,
        )
        answer = await self._ask(self._stub.Configure(request))
        self.secrets = answer.acceptSecrets
        self.previews = answer.supportsPreview
        self._accepts = Accepts(secrets=answer.acceptSecrets, resources=answer.acceptResources)

    async def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        request = provider_pb2.CheckRequest(
            urn=target.urn,
            name=target.name,
            type=target.type,
            olds=self._encode(olds),
            news=self._encode(news),
            randomSeed=seed,
        )
        answer = await self._ask(self._stub.Check(request))
        return Checked(decode(answer.inputs), _failures(answer.failures))

    async def diff(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
    ) -> Diff:
        request = provider_pb2.DiffRequest(
            id=id,
            urn=target.urn,
            name=target.name,
            type=target.type,
            old_inputs=self._encode(old_inputs),
            olds=self._encode(old_outputs),
            news=self._encode(news),
            ignoreChanges=ignored,
        )
        return _diff(await self._ask(self._stub.Diff(request)))

    async def create(self, target: Target, inputs: Properties, preview: bool) -> Created:
        request = provider_pb2.CreateRequest(
            urn=target.urn,
            name=target.name,
            type=target.type,
            properties=self._encode(inputs),
            timeout=target.timeout,
            preview=preview,
        )
        answer = await self._ask(self._stub.Create(request))
        return Created(answer.id, decode(answer.properties), answer.refresh_before_update)

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        request = provider_pb2.ReadRequest(
            id=id,
            urn=target.urn,
            name=target.name,
            type=target.type,
            properties=self._encode(state),
            inputs=self._encode(inputs),
            timeout=target.timeout,
        )
        answer = await self._ask(self._stub.Read(request))
        inputs_found = decode(answer.inputs) if answer.HasField("inputs") else None
        return Found(answer.id, decode(answer.properties), inputs_found, answer.refresh_before_update)

    async def update(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
        preview: bool,
    ) -> Properties:
        request = provider_pb2.UpdateRequest(
            id=id,
            urn=target.urn,
            name=target.name,
            type=target.type,
            old_inputs=self._encode(old_inputs),
            olds=self._encode(old_outputs),
            news=self._encode(news),
            timeout=target.timeout,
            ignoreChanges=ignored,
            preview=preview,
        )
        answer = await self._ask(self._stub.Update(request))
        return decode(answer.properties)

    async def delete(self, target: Target, id: str, inputs: Properties, outputs: Properties) -> None:
        request = provider_pb2.DeleteRequest(
            id=id,
            urn=target.urn,
            name=target.name,
            type=target.type,
            properties=self._encode(outputs),
            old_inputs=self._encode(inputs),
            timeout=target.timeout,
        )
        await self._ask(self._stub.Delete(request))

    async def invoke(self, token: str, arguments: Properties) -> Called:
        request = provider_pb2.InvokeRequest(tok=token, args=self._encode(arguments))
        answer = await self._ask(self._stub.Invoke(request))
        return Called(decode(getattr(answer, "return")), _failures(answer.failures))

    async def construct(self, request: Any) -> Any:
        return await self._ask(self._stub.Construct(request))

    async def call(self, request: Any) -> Any:
        return await self._ask(self._stub.Call(request))

    async def cancel(self) -> None:
        await self._ask(self._stub.Cancel(empty_pb2.Empty()))

    async def close(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._channel.close()
            if self._process is None or self._said is None:
                return
            self._said.hush()
            if self._process.returncode is None:
                self._process.send_signal(signal.SIGINT)
                with anyio.move_on_after(GRACE_SECONDS):
                    await self._process.wait()
            if self._process.returncode is None:
                self._process.kill()
            await self._said.close()
            await self._process.aclose()


def _translated(error: grpc.aio.AioRpcError) -> ProviderError:
    """A gRPC error as ours; a resource that did not come up is told in the status' details."""
    for key, value in error.trailing_metadata() or ():
        if key != _STATUS_DETAILS or not isinstance(value, bytes):
            continue
        for detail in status.details(value):
            if not detail.type_url.endswith("ErrorResourceInitFailed"):
                continue
            init = provider_pb2.ErrorResourceInitFailed.FromString(detail.value)
            inputs = decode(init.inputs) if init.HasField("inputs") else None
            return InitError(init.id, decode(init.properties), tuple(init.reasons), inputs)
    return ProviderError(error.details() or str(error.code()))


def _failures(failures: Sequence[Any]) -> tuple[Failure, ...]:
    return tuple(Failure(failure.property, failure.reason) for failure in failures)


def _diff(answer: Any) -> Diff:
    changes = {provider_pb2.DiffResponse.DIFF_SOME: True, provider_pb2.DiffResponse.DIFF_NONE: False}
    detailed = {
        path: PropertyDifference(_KINDS.get(change.kind, Difference.UPDATE), change.inputDiff)
        for path, change in answer.detailedDiff.items()
    }
    return Diff(
        changes=changes.get(answer.changes),
        replaces=tuple(answer.replaces),
        stable=tuple(answer.stables),
        changed=tuple(answer.diffs),
        delete_before_replace=answer.deleteBeforeReplace,
        detailed=detailed if answer.hasDetailedDiff else {},
    )


def _variable(value: Value) -> str:
    plain = bare(value)
    return plain if isinstance(plain, str) else json.dumps(plain)
