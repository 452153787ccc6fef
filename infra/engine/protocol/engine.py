"""The engine service: what programs and plugins log, and the root resource (engine.proto)."""

# The methods and their parameters are the protocol's, whether a method has a use for them or not.
# pylint: disable=unused-argument

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf import empty_pb2

from infra.engine.protocol.messages import engine_pb2, engine_pb2_grpc

if TYPE_CHECKING:
    from infra.engine.deploy.deployment import Deployment
    from infra.engine.display.events import Severity

SERVED_VERSION: Final = "3.272.0"
"""The version of Pulumi whose behaviour this engine has."""

_CLAUSE = re.compile(r"\s*(>=|<=|>|<|=|!=|!|)\s*v?(\d+(?:\.\d+){0,2})[^\s,|]*")


class Engine(engine_pb2_grpc.EngineServicer):
    """Serves one deployment's program and plugins."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._root = ""

    async def Log(self, request: Any, context: Any) -> Any:
        severities: dict[int, Severity] = {
            engine_pb2.DEBUG: "debug",
            engine_pb2.INFO: "info",
            engine_pb2.WARNING: "warning",
            engine_pb2.ERROR: "error",
        }
        severity = severities.get(request.severity, "info")
        if severity == "error" and self._deployment.stopped.is_set():
            # That it can't go on is a consequence, and has been told.
            severity = "debug"
        if severity != "debug" or self._deployment.request.debug:
            self._deployment.report.message(
                severity, request.message, request.urn, request.streamId, request.ephemeral
            )
        return empty_pb2.Empty()

    async def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    async def SetRootResource(self, request: Any, context: Any) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    async def StartDebugging(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    async def RequirePulumiVersion(self, request: Any, context: Any) -> Any:
        wanted = request.pulumi_version_range
        if not satisfies(SERVED_VERSION, wanted):
            await context.abort(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"Pulumi CLI version {SERVED_VERSION} does not satisfy the version range {wanted!r}",
            )
        return engine_pb2.RequirePulumiVersionResponse()


def satisfies(version: str, wanted: str) -> bool:
    """Whether ``version`` is in a range such as ``>=3.100.0 <4.0.0 || =5.0.0``."""
    number = _number(version)
    compare = {
        ">=": number.__ge__,
        "<=": number.__le__,
        ">": number.__gt__,
        "<": number.__lt__,
        "=": number.__eq__,
        "": number.__eq__,
        "!=": number.__ne__,
        "!": number.__ne__,
    }
    return any(
        all(compare[sign](_number(bound)) for sign, bound in _CLAUSE.findall(alternative))
        for alternative in wanted.split("||")
    )


def _number(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))
