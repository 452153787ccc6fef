"""The protocol's messages, out of the installed SDK.

Without running the SDK itself (it is slow to import).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi.runtime.proto import (
        alias_pb2,
        callback_pb2,
        callback_pb2_grpc,
        engine_pb2,
        engine_pb2_grpc,
        events_pb2,
        events_pb2_grpc,
        language_pb2,
        language_pb2_grpc,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
        resource_pb2,
        resource_pb2_grpc,
    )
else:
    _PACKAGE = "_pulumi_protocol"

    def _package() -> ModuleType:
        found = importlib.util.find_spec("pulumi")
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError(
                "the Pulumi SDK is not installed; run: pip install pulumi", name="pulumi"
            )
        package = ModuleType(_PACKAGE, "Pulumi's protobuf modules, under a name of their own.")
        package.__path__ = [str(Path(found.submodule_search_locations[0]) / "runtime" / "proto")]
        return package

    sys.modules.setdefault(_PACKAGE, _package())
    alias_pb2 = importlib.import_module(f"{_PACKAGE}.alias_pb2")
    callback_pb2 = importlib.import_module(f"{_PACKAGE}.callback_pb2")
    callback_pb2_grpc = importlib.import_module(f"{_PACKAGE}.callback_pb2_grpc")
    engine_pb2 = importlib.import_module(f"{_PACKAGE}.engine_pb2")
    engine_pb2_grpc = importlib.import_module(f"{_PACKAGE}.engine_pb2_grpc")
    events_pb2 = importlib.import_module(f"{_PACKAGE}.events_pb2")
    events_pb2_grpc = importlib.import_module(f"{_PACKAGE}.events_pb2_grpc")
    language_pb2 = importlib.import_module(f"{_PACKAGE}.language_pb2")
    language_pb2_grpc = importlib.import_module(f"{_PACKAGE}.language_pb2_grpc")
    plugin_pb2 = importlib.import_module(f"{_PACKAGE}.plugin_pb2")
    provider_pb2 = importlib.import_module(f"{_PACKAGE}.provider_pb2")
    provider_pb2_grpc = importlib.import_module(f"{_PACKAGE}.provider_pb2_grpc")
    resource_pb2 = importlib.import_module(f"{_PACKAGE}.resource_pb2")
    resource_pb2_grpc = importlib.import_module(f"{_PACKAGE}.resource_pb2_grpc")

__all__ = [
    "alias_pb2",
    "callback_pb2",
    "callback_pb2_grpc",
    "engine_pb2",
    "engine_pb2_grpc",
    "events_pb2",
    "events_pb2_grpc",
    "language_pb2",
    "language_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "resource_pb2",
    "resource_pb2_grpc",
]
