"""Workload Identity Federation: pools of identities from elsewhere, and the providers that vouch for them.

https://cloud.google.com/iam/docs/workload-identity-federation. What is deleted can be had back for thirty
days, and its id stays taken until then.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from infra.local.api.discovery import Request
from infra.local.api.errors import exists, invalid, not_found, precondition
from infra.local.control.documents import Documents, Json, Operations, check_mask, merged, new_id, timestamp
from infra.local.control.names import check_project, numbered
from infra.local.state import Store

_ID = re.compile(r"[a-z0-9-]{4,32}")
_LIFETIME = timedelta(days=30)
_LONGEST = {"displayName": 32, "description": 256}
_KINDS = ("oidc", "aws", "saml", "x509")
_GITHUB = "https://token.actions.githubusercontent.com"
_CLAIM = re.compile(r"\b(?:assertion|attribute|google)[.\[]")
_TYPE = "google.iam.v1"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How pools and providers differ: collection and parameter of the id, fields, and their check."""

    collection: str
    identifier: str
    message: str
    fields: tuple[str, ...]
    check: Callable[[Json], None]


class Federated:
    """The methods on pools, or those on providers, over a store."""

    def __init__(self, store: Store, kind: _Kind, above: "Federated | None" = None) -> None:
        self._documents = Documents(store, f"federation-{kind.collection}")
        self._operations = Operations(store)
        self._kind = kind
        self._above = above

    async def create(self, request: Request) -> Json:
        """A new one, ACTIVE at once."""
        parent, given = self._parent(request.parameters["parent"]), request.body
        made = request.parameters.get(self._kind.identifier, "")
        if not _ID.fullmatch(made) or made.startswith("gcp-"):
            text = (
                f"{self._kind.identifier} is 4 to 32 lowercase letters, digits or hyphens, and does not "
                'begin with "gcp-".'
            )
            raise invalid(text, [(self._kind.identifier, text)])
        if self._above is not None and self._above.find(parent)["state"] == "DELETED":
            raise precondition(f"Workload identity pool {parent} is deleted.")
        _check_texts(given)
        self._kind.check(given)
        name = f"{parent}/{self._kind.collection}/{made}"
        if self._documents.get(name) is not None:
            raise exists("Requested entity already exists", name)
        return self._done(self._documents.put(name, {**given, "name": name, "state": "ACTIVE"}))

    async def get(self, request: Request) -> Json:
        """It, also when it is deleted."""
        return self.find(request.parameters["name"])

    async def list(self, request: Request) -> Json:
        """Those in a parent; deleted ones only with `showDeleted`."""
        parent = self._parent(request.parameters["parent"])
        if self._above is not None:
            self._above.find(parent)
        items = "workloadIdentityPools" if self._above is None else "workloadIdentityPoolProviders"
        answer = self._documents.page(parent, request.parameters, items)
        if items in answer and not request.parameters.get("showDeleted", False):
            answer[items] = [each for each in answer[items] if each["state"] == "ACTIVE"]
        return answer

    async def patch(self, request: Request) -> Json:
        """Change what the mask names."""
        current, mask = self._active(request.parameters["name"]), request.parameters.get("updateMask")
        if not mask:
            raise invalid("update_mask is required.", [("update_mask", "update_mask is required.")])
        check_mask(mask, self._kind.fields)
        changed = merged(current, request.body, mask, ("name", "state", "expireTime"))
        _check_texts(changed)
        self._kind.check(changed)
        return self._done(self._documents.put(current["name"], changed))

    async def delete(self, request: Request) -> Json:
        """Mark it as deleted."""
        current = self._active(request.parameters["name"])
        current |= {"state": "DELETED", "expireTime": timestamp(_LIFETIME)}
        return self._done(self._documents.put(current["name"], current))

    async def undelete(self, request: Request) -> Json:
        """Have it back."""
        current = self.find(request.parameters["name"])
        if current["state"] != "DELETED":
            raise precondition(f"{current['name']} is not deleted.")
        del current["expireTime"]
        return self._done(self._documents.put(current["name"], {**current, "state": "ACTIVE"}))

    def find(self, name: str) -> Json:
        """That one, by its full name. Raises ApiError, 403 or 404."""
        found = self._documents.get(self._parent(name))
        if found is None:
            raise not_found("Requested entity was not found.")
        return found

    def _active(self, name: str) -> Json:
        found = self.find(name)
        if found["state"] != "ACTIVE":
            raise not_found("Requested entity was not found.")
        return found

    def _parent(self, name: str) -> str:
        parts = name.split("/")
        check_project(parts[1], "iam.googleapis.com")
        if parts[3] != "global":
            text = f"Location {parts[3][:100]} is not supported: use global."
            raise invalid(text, [("parent", text)])
        return numbered(name)

    def _done(self, made: Json) -> Json:
        kind = f"{_TYPE}.{self._kind.message}"
        metadata = {"@type": f"type.googleapis.com/{kind}OperationMetadata"}
        return self._operations.done(f"{made['name']}/operations/{new_id()}", made, kind, metadata)


def pools(store: Store) -> Federated:
    """iam.v1.projects.locations.workloadIdentityPools."""
    fields = ("displayName", "description", "disabled", "mode")
    kind = _Kind(
        "workloadIdentityPools", "workloadIdentityPoolId", "WorkloadIdentityPool", fields, lambda _given: None
    )
    return Federated(store, kind)


def providers(store: Store, above: Federated) -> Federated:
    """iam.v1.projects.locations.workloadIdentityPools.providers."""
    fields = ("displayName", "description", "disabled", "attributeMapping", "attributeCondition", *_KINDS)
    kind = _Kind(
        "providers",
        "workloadIdentityPoolProviderId",
        "WorkloadIdentityPoolProvider",
        fields,
        _check_provider,
    )
    return Federated(store, kind, above)


def _check_texts(given: Json) -> None:
    for field, most in _LONGEST.items():
        if len(given.get(field, "")) > most:
            text = f"The {field} has more than {most} characters."
            raise invalid(text, [(field, text)])


def _check_provider(given: Json) -> None:
    """Raise ApiError, 400, unless the provider may be."""
    kinds: Sequence[str] = [kind for kind in _KINDS if kind in given]
    if len(kinds) != 1:
        raise invalid(
            "Exactly one of oidc, aws, saml and x509 must be set.", [("provider_config", "set one")]
        )
    mapping = given.get("attributeMapping", {})
    if "google.subject" not in mapping and "aws" not in given:
        raise invalid(
            "The attribute mapping must have google.subject.", [("attribute_mapping", "google.subject")]
        )
    if kinds == ["oidc"]:
        issuer = given["oidc"].get("issuerUri", "")
        if not issuer.startswith("https://"):
            text = f"The issuer URI {issuer[:200]!r} must begin with https://."
            raise invalid(text, [("oidc.issuer_uri", text)])
        # Else anybody's repository could become a workload of this pool.
        if issuer.startswith(_GITHUB) and not _CLAIM.search(given.get("attributeCondition", "")):
            text = "The attribute condition must reference one of the provider's claims."
            raise invalid(text, [("attribute_condition", text)])
