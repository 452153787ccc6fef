"""The policies that are stored, and those that are there without."""

from typing import Any

from google.iam.v1 import policy_pb2

from infra.local.control.names import numbered, project_number
from infra.local.state import Store

Policy = Any
KIND = "policy"


def forget_policy(store: Store, resource: str) -> None:
    """The resource is gone, and its policy with it."""
    store.remove(KIND, numbered(resource))


def read_policy(store: Store, resource: str) -> Policy:
    """The policy of a resource, by its name with the project's id or number.

    Where none was set it is empty; that of a project lets its default service account edit, as Google's does.
    """
    name = numbered(resource)
    row = store.read(KIND, name)
    if row is not None:
        return policy_pb2.Policy.FromString(row.body)
    policy = policy_pb2.Policy(etag=b"\0 \1")
    kind, _, number = name.partition("/")
    if kind == "projects" and "/" not in number:
        policy.version = 1
        account = f"serviceAccount:{project_number(number)}-compute@developer.gserviceaccount.com"
        policy.bindings.add(role="roles/editor", members=[account])
    return policy
