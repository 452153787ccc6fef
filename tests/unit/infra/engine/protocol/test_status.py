"""The status beside a gRPC error, whichever library has taken its name in this process."""

from google.protobuf import any_pb2, wrappers_pb2
from google.rpc import status_pb2  # Google's own, which Pulumi's can't be imported beside

from infra.engine.protocol import status


def test_what_is_said_beyond_code_and_message_is_read():
    detail = any_pb2.Any()
    detail.Pack(wrappers_pb2.StringValue(value="the reason"))
    sent = status_pb2.Status(code=2, message="sick", details=[detail]).SerializeToString()
    [read] = status.details(sent)
    assert (read.type_url, read.value) == (detail.type_url, detail.value)
