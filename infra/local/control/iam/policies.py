"""IAM policies on resources: stored, versioned by etag, and read by whoever asks what is allowed."""

import re
import secrets
from collections.abc import Callable
from typing import Any

from google.iam.v1 import iam_policy_pb2, policy_pb2

from infra.local.api.errors import aborted, invalid
from infra.local.control.names import numbered, project_number
from infra.local.state import Store

Policy = Any
_KIND = "policy"
_MEMBER = re.compile(r"allUsers|allAuthenticatedUsers|[a-zA-Z]+:[^\s:][^\s]*")
_ROLE = re.compile(r"(?:roles|projects/[^/]+/roles|organizations/[^/]+/roles)/[\w.]+")
_PERMISSION = re.compile(r"[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+")


def read_policy(store: Store, resource: str) -> Policy:
    """The policy of a resource, by its name with the project's id or number.

    Where none was set it is empty; that of a project lets its default service account edit, as Google's does.
    """
    name = numbered(resource)
    row = store.read(_KIND, name)
    if row is not None:
        return policy_pb2.Policy.FromString(row.body)
    policy = policy_pb2.Policy(etag=b"\0 \1")
    kind, _, number = name.partition("/")
    if kind == "projects" and "/" not in number:
        policy.version = 1
        account = f"serviceAccount:{project_number(number)}-compute@developer.gserviceaccount.com"
        policy.bindings.add(role="roles/editor", members=[account])
    return policy


class Policies:
    """The policies of one kind of resource; `exists` raises ApiError (404) for a name that nothing has."""

    def __init__(self, store: Store, exists: Callable[[str], object]) -> None:
        self._store = store
        self._exists = exists

    def read(self, resource: str) -> Policy:
        """The policy of a resource; an empty one where none was set."""
        return read_policy(self._store, resource)

    def forget(self, resource: str) -> None:
        """The resource is gone."""
        self._store.remove(_KIND, numbered(resource))

    async def get_iam_policy(self, request: Any) -> Policy:
        """GetIamPolicy."""
        self._exists(request.resource)
        return self.read(request.resource)

    async def set_iam_policy(self, request: Any) -> Policy:
        """SetIamPolicy."""
        self._exists(request.resource)
        policy = policy_pb2.Policy()
        policy.CopyFrom(request.policy)
        _check(policy)
        with self._store.transaction():
            current = self.read(request.resource)
            if policy.etag and policy.etag != current.etag:
                raise aborted(
                    "There were concurrent policy changes. Please retry the whole read-modify-write with "
                    "exponential backoff. The request's ETag did not match the current policy's ETag."
                )
            policy.etag = secrets.token_bytes(8)
            policy.version = max(policy.version, 1)
            self._store.write(_KIND, numbered(request.resource), policy.SerializeToString())
        return policy

    async def test_iam_permissions(self, request: Any) -> Any:
        """TestIamPermissions: who reaches this machine may do everything."""
        self._exists(request.resource)
        for permission in request.permissions:
            if not _PERMISSION.fullmatch(permission):
                text = f"Permission {permission} is not valid for this resource."
                raise invalid(text, [("permissions", text)])
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=request.permissions)


def _check(policy: Policy) -> None:
    if policy.version not in {0, 1, 3}:
        raise invalid("Invalid policy version. Valid values are 0, 1 and 3.")
    for binding in policy.bindings:
        if not _ROLE.fullmatch(binding.role):
            raise invalid(f"Role {binding.role} is not supported for this resource.")
        for member in binding.members:
            if not _MEMBER.fullmatch(member):
                raise invalid(f"Invalid member: {member}.")
        if binding.HasField("condition") and policy.version != 3:
            raise invalid("Policies with conditions need version 3.")
