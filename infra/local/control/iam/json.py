"""Policies for the APIs whose messages are JSON objects."""

from collections.abc import Callable
from typing import Any

from google.iam.v1 import iam_policy_pb2
from google.protobuf import json_format

from infra.local.api.discovery import Request
from infra.local.api.errors import invalid
from infra.local.control.iam.policies import Policies
from infra.local.state import Store

Json = dict[str, Any]


class JsonPolicies:
    """GetIamPolicy and its like over `Policies`.

    `resource` makes the full name of what a request is about, and raises ApiError (403, 404) where there is
    nothing of that name.
    """

    def __init__(self, store: Store, resource: Callable[[str], str]) -> None:
        self._policies = Policies(store, lambda _name: None)
        self._resource = resource

    def forget(self, name: str) -> None:
        """The resource of that full name is gone."""
        self._policies.forget(name)

    async def get_iam_policy(self, request: Request) -> Json:
        """The policy of a resource."""
        asked = iam_policy_pb2.GetIamPolicyRequest(resource=self._resource(request.parameters["resource"]))
        return _json(await self._policies.get_iam_policy(asked))

    async def set_iam_policy(self, request: Request) -> Json:
        """Put a policy in the place of the one of a resource."""
        if "policy" not in request.body:
            raise invalid("Policy is required.", [("policy", "Policy is required.")])
        asked = iam_policy_pb2.SetIamPolicyRequest(resource=self._resource(request.parameters["resource"]))
        try:
            json_format.ParseDict(request.body["policy"], asked.policy)
        except json_format.ParseError as error:
            raise invalid(f"Invalid policy: {error}") from error
        return _json(await self._policies.set_iam_policy(asked))

    async def test_iam_permissions(self, request: Request) -> Json:
        """Which of the permissions a caller has."""
        asked = iam_policy_pb2.TestIamPermissionsRequest(
            resource=self._resource(request.parameters["resource"]),
            permissions=request.body.get("permissions", ()),
        )
        return _json(await self._policies.test_iam_permissions(asked))


def _json(message: Any) -> Json:
    answer: Json = json_format.MessageToDict(message)
    return answer
