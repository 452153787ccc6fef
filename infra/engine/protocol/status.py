"""google.rpc.Status, which gRPC sends beside an error (google/rpc/status.proto).

Google's libraries and Pulumi's SDK each register it in protobuf's common pool, and in a process that has the
one the other can't be imported. This one is in a pool of its own.
"""

# The classes of protobuf's own messages are made when it is imported.
# pylint: disable=no-member

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

_ANY = any_pb2.DESCRIPTOR.name


def details(serialized: bytes) -> Sequence[any_pb2.Any]:
    """What is said in a serialized Status beyond its code and message."""
    return tuple(_status().FromString(serialized).details)


@cache
def _status() -> Any:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="status.proto", package="google.rpc", syntax="proto3", dependency=[_ANY]
    )
    message = file.message_type.add(name="Status")
    message.field.add(name="code", number=1, type=kinds.TYPE_INT32, label=kinds.LABEL_OPTIONAL)
    message.field.add(name="message", number=2, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
    message.field.add(
        name="details",
        number=3,
        type=kinds.TYPE_MESSAGE,
        label=kinds.LABEL_REPEATED,
        type_name=".google.protobuf.Any",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("google.rpc.Status"))
