"""IAM policies on resources: stored, versioned by etag, and read by whoever asks what is allowed."""

import re
import secrets
from collections.abc import Callable
from typing import Any

from google.iam.v1 import iam_policy_pb2, policy_pb2

from infra.local.api.errors import aborted, invalid
from infra.local.api.guard import caller
from infra.local.control.iam.access import Access
from infra.local.control.iam.stored import KIND, Policy, forget_policy, read_policy
from infra.local.control.names import numbered
from infra.local.state import Store

_MEMBER = re.compile(r"allUsers|allAuthenticatedUsers|[a-zA-Z]+:[^\s:][^\s]*")
_ROLE = re.compile(r"(?:roles|projects/[^/]+/roles|organizations/[^/]+/roles)/[\w.]+")
_PERMISSION = re.compile(r"[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+")


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
        forget_policy(self._store, resource)

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
            self._store.write(KIND, numbered(request.resource), policy.SerializeToString())
        return policy

    async def test_iam_permissions(self, request: Any) -> Any:
        """TestIamPermissions: the owner of this machine may do everything, an account what its roles say."""
        self._exists(request.resource)
        for permission in request.permissions:
            if not _PERMISSION.fullmatch(permission):
                text = f"Permission {permission} is not valid for this resource."
                raise invalid(text, [("permissions", text)])
        account, access = caller.get(), Access(self._store)
        allowed = [
            permission
            for permission in request.permissions
            if not account or access.allowed(account, permission, request.resource)
        ]
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=allowed)


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
