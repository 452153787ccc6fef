"""Long-running operations of Artifact Registry: here all of them are done at once."""

from typing import Any

from google.cloud import artifactregistry_v1 as library
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from infra.local.api.definition import unwrap
from infra.local.control.names import new_uid
from infra.local.state import Shelf, Store


class Done:
    """Makes operations that have come to their end, and keeps them for clients that ask."""

    def __init__(self, store: Store) -> None:
        self._shelf: Shelf[Any] = Shelf(store, "operation", operations_pb2.Operation)

    def __call__(self, about: str, response: Any = None, metadata: Any = None) -> Any:
        """An operation on the resource of that name; without a response it was deleted."""
        place = "/".join(about.split("/")[:4])
        operation = operations_pb2.Operation(name=f"{place}/operations/{new_uid()}", done=True)
        operation.metadata.Pack(unwrap(metadata or library.OperationMetadata()))
        nothing = empty_pb2.Empty()  # pylint: disable=no-member  # made at run time
        operation.response.Pack(nothing if response is None else unwrap(response))
        self._shelf.put(operation)
        return operation
