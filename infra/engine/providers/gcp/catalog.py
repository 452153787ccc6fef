"""The resource types that are served: how each is named, where it is, how it is made, changed and deleted.

Templates have properties in braces: ``projects/{project}/secrets/{secretId}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from infra.engine.providers.gcp import special
from infra.engine.providers.gcp.checking import AutoName
from infra.engine.providers.gcp.schema import Schema, load

MINUTE: Final = 60.0
Update = Literal["mask", "body", "whole", "put", "none"]


@dataclass(frozen=True, slots=True)
class Switch:
    """A property that is changed by verbs of its own: one for true, one for false."""

    property: str
    on: str
    off: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type over REST.

    ``id`` is Pulumi's id, and the path of the resource below its API's endpoint, unless there is a ``path``.
    ``create`` is the path that is POSTed to; ``numbered``: the answer's ``name`` is the id. ``update``: PATCH
    with a mask of what changed (in the URL, or in the body), PATCH or PUT of the whole, or no way.
    ``likeness``: the property by which a numbered one is found again. ``destroy`` is the verb of a POST where
    there is no DELETE, and ``gone`` the states of what is deleted and still there. ``access`` reads the
    payload that a GET leaves out.
    """

    type: str
    product: str
    id: str
    create: str
    update: Update = "mask"
    path: str = ""
    numbered: bool = False
    likeness: str = ""
    auto: AutoName | None = None
    schema_version: int = 0
    timeout: float = 20 * MINUTE
    delete_before_replace: bool = False
    encode: special.Encode = special.as_it_is
    decode: special.Decode = special.as_it_comes
    switch: Switch | None = None
    destroy: str = ""
    gone: tuple[str, ...] = ()
    access: str = ""

    @property
    def schema(self) -> Schema:
        """What its properties are."""
        return load(self.short)

    @property
    def labelled(self) -> bool:
        """Whether it has labels."""
        return "effectiveLabels" in self.schema

    @property
    def annotated(self) -> bool:
        """Whether it has annotations."""
        return "effectiveAnnotations" in self.schema

    @property
    def short(self) -> str:
        """Its module and class, as schemas are called: ``cloudrunv2.service``."""
        _, path, _ = self.type.split(":")
        return path.replace("/", ".")

    @property
    def meta(self) -> Mapping[str, Any]:
        """What Terraform keeps about a resource beside its properties: timeouts, and the schema's version."""
        nanoseconds = int(self.timeout * 1_000_000_000)
        verbs = ("create", "delete") if self.update == "none" else ("create", "delete", "update")
        version = {"schema_version": str(self.schema_version)} if self.schema_version else {}
        return {TIMEOUTS: dict.fromkeys(verbs, nanoseconds), **version}


TIMEOUTS: Final = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"
"""The key of timeouts in Terraform's own bookkeeping (terraform-plugin-sdk, schema/resource_timeout.go)."""

_RUN: Final = "projects/{project}/locations/{location}"
_POOL: Final = "projects/{project}/locations/global/workloadIdentityPools"

KINDS: Final[Mapping[str, Kind]] = {
    kind.type: kind
    for kind in (
        Kind(
            "gcp:cloudrunv2/service:Service",
            "cloudRunV2",
            f"{_RUN}/services/{{name}}",
            f"{_RUN}/services?serviceId={{name}}",
            update="whole",
            auto=AutoName("name", 63),
        ),
        Kind(
            "gcp:cloudrunv2/job:Job",
            "cloudRunV2",
            f"{_RUN}/jobs/{{name}}",
            f"{_RUN}/jobs?jobId={{name}}",
            update="whole",
            auto=AutoName("name", 63),
        ),
        Kind(
            "gcp:artifactregistry/repository:Repository",
            "artifactRegistry",
            f"{_RUN}/repositories/{{repositoryId}}",
            f"{_RUN}/repositories?repository_id={{repositoryId}}",
            encode=special.repository_out,
            decode=special.repository_in,
        ),
        Kind(
            "gcp:serviceaccount/account:Account",
            "iam",
            "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
            "projects/{project}/serviceAccounts",
            update="body",
            switch=Switch("disabled", "disable", "enable"),
            timeout=5 * MINUTE,
            auto=AutoName("accountId", 30),
            encode=special.account_out,
            decode=special.account_in,
        ),
        Kind(
            "gcp:secretmanager/secret:Secret",
            "secretManager",
            "projects/{project}/secrets/{secretId}",
            "projects/{project}/secrets?secretId={secretId}",
            auto=AutoName("secretId", 255),
            delete_before_replace=True,
        ),
        Kind(
            "gcp:secretmanager/secretVersion:SecretVersion",
            "secretManager",
            "{secret}/versions/{version}",
            "{secret}:addVersion",
            update="none",
            switch=Switch("enabled", "enable", "disable"),
            numbered=True,
            schema_version=1,
            encode=special.version_out,
            decode=special.version_in,
            destroy="destroy",
            gone=("DESTROYED",),
            access="access",
        ),
        Kind(
            "gcp:logging/metric:Metric",
            "logging",
            "{name}",
            "projects/{project}/metrics",
            path="projects/{project}/metrics/{name}",
            update="put",
        ),
        Kind(
            "gcp:monitoring/alertPolicy:AlertPolicy",
            "monitoring",
            "{name}",
            "projects/{project}/alertPolicies",
            numbered=True,
            likeness="displayName",
        ),
        Kind(
            "gcp:monitoring/notificationChannel:NotificationChannel",
            "monitoring",
            "{name}",
            "projects/{project}/notificationChannels",
            numbered=True,
            likeness="displayName",
            encode=special.channel_out,
            decode=special.channel_in,
        ),
        Kind(
            "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
            "iamBeta",
            f"{_POOL}/{{workloadIdentityPoolId}}",
            f"{_POOL}?workloadIdentityPoolId={{workloadIdentityPoolId}}",
            gone=("DELETED",),
        ),
        Kind(
            "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
            "iamBeta",
            f"{_POOL}/{{workloadIdentityPoolId}}/providers/{{workloadIdentityPoolProviderId}}",
            f"{_POOL}/{{workloadIdentityPoolId}}/providers"
            "?workloadIdentityPoolProviderId={workloadIdentityPoolProviderId}",
            gone=("DELETED",),
        ),
        Kind(
            "gcp:billing/budget:Budget",
            "billingBudgets",
            "billingAccounts/{billingAccount}/budgets/{name}",
            "billingAccounts/{billingAccount}/budgets",
            numbered=True,
            likeness="displayName",
            schema_version=1,
            encode=special.budget_out,
            decode=special.budget_in,
        ),
    )
}
