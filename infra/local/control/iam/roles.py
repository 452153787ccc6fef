"""The predefined roles in use, and what each of them permits.

https://cloud.google.com/iam/docs/roles-permissions: as patterns over the permissions that this cloud knows.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from infra.local.control.iam.permissions import all_permissions

_SECRETS = ("secretmanager.versions.access",)
_IDENTITIES = (
    "iam.serviceAccounts.actAs", "iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken",
    "iam.serviceAccounts.implicitDelegation", "iam.serviceAccounts.sign*",
)  # fmt: skip
_READ = ("*.get", "*.list")
_PULL = (
    "artifactregistry.*.get", "artifactregistry.*.list", "artifactregistry.repositories.downloadArtifacts",
)  # fmt: skip
_ACCOUNTS = ("iam.serviceAccounts.get", "iam.serviceAccounts.list")


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its title, what it permits, and what of that it does not."""

    title: str
    permits: tuple[str, ...]
    but: tuple[str, ...] = ()

    @property
    def permissions(self) -> tuple[str, ...]:
        """All of its permissions, in order."""
        return tuple(sorted(_expanded(self.permits) - _expanded(self.but)))


ROLES: dict[str, Role] = {
    "roles/owner": Role("Owner", ("*",), ("iam.serviceAccounts.get[AO]*", "iam.serviceAccounts.sign*")),
    "roles/editor": Role(
        "Editor",
        ("*",),
        ("*.setIamPolicy", *_SECRETS, "billing.*", "resourcemanager.projects.delete", *_IDENTITIES[1:]),
    ),
    "roles/viewer": Role("Viewer", (*_READ, "*.getIamPolicy"), ("billing.*",)),
    "roles/run.admin": Role("Cloud Run Admin", ("run.*",)),
    "roles/run.developer": Role(
        "Cloud Run Developer", ("run.*",), ("run.*.setIamPolicy", "run.routes.invoke")
    ),
    "roles/run.invoker": Role("Cloud Run Invoker", ("run.routes.invoke", "run.jobs.run")),
    "roles/run.viewer": Role("Cloud Run Viewer", ("run.*.get", "run.*.list", "run.*.getIamPolicy")),
    "roles/secretmanager.admin": Role("Secret Manager Admin", ("secretmanager.*",)),
    "roles/secretmanager.secretAccessor": Role("Secret Manager Secret Accessor", _SECRETS),
    "roles/secretmanager.secretVersionAdder": Role(
        "Secret Manager Secret Version Adder", ("secretmanager.versions.add",)
    ),
    "roles/secretmanager.secretVersionManager": Role(
        "Secret Manager Secret Version Manager", ("secretmanager.versions.*",), _SECRETS
    ),
    "roles/secretmanager.viewer": Role(
        "Secret Manager Viewer",
        ("secretmanager.*.get", "secretmanager.*.list", "secretmanager.secrets.getIamPolicy"),
    ),
    "roles/artifactregistry.admin": Role("Artifact Registry Administrator", ("artifactregistry.*",)),
    "roles/artifactregistry.reader": Role(
        "Artifact Registry Reader", _PULL
    ),
    "roles/artifactregistry.writer": Role(
        "Artifact Registry Writer",
        (
            *_PULL, "artifactregistry.tags.*", "artifactregistry.repositories.uploadArtifacts",
        ),
        ("artifactregistry.tags.delete",),
    ),
    "roles/artifactregistry.repoAdmin": Role(
        "Artifact Registry Repository Administrator",
        ("artifactregistry.*",),
        (
            "artifactregistry.repositories.create", "artifactregistry.repositories.delete",
            "artifactregistry.repositories.update", "artifactregistry.repositories.setIamPolicy",
        ),
    ),
    "roles/iam.serviceAccountAdmin": Role(
        "Service Account Admin", ("iam.serviceAccounts.*",), _IDENTITIES
    ),
    "roles/iam.serviceAccountUser": Role(
        "Service Account User",
        ("iam.serviceAccounts.actAs", *_ACCOUNTS),
    ),
    "roles/iam.serviceAccountTokenCreator": Role(
        "Service Account Token Creator", (*_ACCOUNTS, *_IDENTITIES[1:])
    ),
    "roles/iam.workloadIdentityUser": Role(
        "Workload Identity User", (*_ACCOUNTS, *_IDENTITIES[1:3])
    ),
    "roles/iam.workloadIdentityPoolAdmin": Role(
        "IAM Workload Identity Pool Admin",
        ("iam.workloadIdentityPool*", "resourcemanager.projects.get"),
    ),
    "roles/iam.securityAdmin": Role("Security Admin", ("*.getIamPolicy", "*.setIamPolicy", "*.list")),
    "roles/iam.roleViewer": Role("Role Viewer", ("iam.roles.*",)),
    "roles/logging.admin": Role("Logging Admin", ("logging.*",)),
    "roles/logging.logWriter": Role("Logs Writer", ("logging.logEntries.create", "logging.logEntries.route")),
    "roles/logging.viewer": Role(
        "Logs Viewer", ("logging.*.get", "logging.*.list"), ("logging.privateLogEntries.list",)
    ),
    "roles/monitoring.admin": Role("Monitoring Admin", ("monitoring.*",)),
    "roles/monitoring.editor": Role("Monitoring Editor", ("monitoring.*",)),
    "roles/monitoring.viewer": Role("Monitoring Viewer", ("monitoring.*.get", "monitoring.*.list")),
    "roles/monitoring.metricWriter": Role(
        "Monitoring Metric Writer",
        (
            "monitoring.metricDescriptors.*", "monitoring.monitoredResourceDescriptors.*",
            "monitoring.timeSeries.create",
        ),
        ("monitoring.metricDescriptors.delete",),
    ),
    "roles/monitoring.alertPolicyEditor": Role(
        "Monitoring AlertPolicy Editor", ("monitoring.alertPolicies.*",)
    ),
    "roles/serviceusage.serviceUsageAdmin": Role("Service Usage Admin", ("serviceusage.*",)),
    "roles/serviceusage.serviceUsageConsumer": Role(
        "Service Usage Consumer",
        ("serviceusage.services.get", "serviceusage.services.list", "serviceusage.services.use"),
    ),
    "roles/resourcemanager.projectIamAdmin": Role(
        "Project IAM Admin", ("resourcemanager.projects.get", "resourcemanager.projects.*IamPolicy")
    ),
    "roles/browser": Role(
        "Browser", tuple(f"resourcemanager.projects.{verb}" for verb in ("get", "list", "getIamPolicy"))
    ),
    "roles/billing.costsManager": Role("Billing Account Costs Manager", ("billing.budgets.*",)),
}  # fmt: skip


@functools.cache
def permits(role: str, permission: str) -> bool:
    """Whether a role has a permission; a role that is not known has none."""
    known = ROLES.get(role)
    return known is not None and permission in known.permissions


def _expanded(patterns: Iterable[str]) -> set[str]:
    return {name for name in all_permissions() if any(fnmatchcase(name, pattern) for pattern in patterns)}
