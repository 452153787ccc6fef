"""Which permission a method needs, and which roles have it."""

import pytest

from infra.local.api import methods, rpcs
from infra.local.control.iam.permissions import all_permissions, permission
from infra.local.control.iam.roles import ROLES, permits

METHODS = {
    method.full_name: method
    for found in (
        rpcs("google.cloud.run_v2"),
        rpcs("google.cloud.secretmanager_v1"),
        rpcs("google.cloud.artifactregistry_v1"),
        methods("iam", "v1"),
        methods("iamcredentials", "v1"),
        methods("serviceusage", "v1"),
        methods("cloudresourcemanager", "v1"),
        methods("cloudresourcemanager", "v3"),
        methods("billingbudgets", "v1"),
        methods("logging", "v2"),
        methods("monitoring", "v3"),
    )
    for method in found
}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("google.cloud.run.v2.Services.CreateService", "run.services.create"),
        ("google.cloud.run.v2.Services.ListServices", "run.services.list"),
        ("google.cloud.run.v2.Services.UpdateService", "run.services.update"),
        ("google.cloud.run.v2.Services.SetIamPolicy", "run.services.setIamPolicy"),
        ("google.cloud.run.v2.Services.TestIamPermissions", ""),
        ("google.cloud.run.v2.Jobs.RunJob", "run.jobs.run"),
        ("google.cloud.run.v2.Executions.CancelExecution", "run.executions.cancel"),
        ("google.cloud.secretmanager.v1.SecretManagerService.AddSecretVersion", "secretmanager.versions.add"),
        (
            "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion",
            "secretmanager.versions.access",
        ),
        (
            "google.devtools.artifactregistry.v1.ArtifactRegistry.CreateRepository",
            "artifactregistry.repositories.create",
        ),
        ("iam.v1.projects.serviceAccounts.create", "iam.serviceAccounts.create"),
        ("iam.v1.projects.serviceAccounts.patch", "iam.serviceAccounts.update"),
        ("iam.v1.projects.serviceAccounts.keys.create", "iam.serviceAccountKeys.create"),
        (
            "iam.v1.projects.locations.workloadIdentityPools.providers.create",
            "iam.workloadIdentityPoolProviders.create",
        ),
        (
            "iamcredentials.v1.projects.serviceAccounts.generateAccessToken",
            "iam.serviceAccounts.getAccessToken",
        ),
        ("serviceusage.v1.services.batchEnable", "serviceusage.services.enable"),
        ("cloudresourcemanager.v1.projects.setIamPolicy", "resourcemanager.projects.setIamPolicy"),
        ("cloudresourcemanager.v3.projects.search", "resourcemanager.projects.get"),
        ("billingbudgets.v1.billingAccounts.budgets.patch", "billing.budgets.update"),
        ("logging.v2.entries.list", "logging.logEntries.list"),
        ("logging.v2.entries.write", "logging.logEntries.create"),
        ("monitoring.v3.projects.timeSeries.list", "monitoring.timeSeries.list"),
    ],
)
def test_a_method_needs_the_permission_that_google_documents(method, expected):
    assert permission(METHODS[method]) == expected
    assert not expected or expected in all_permissions()


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_role_permits_something_and_only_what_is_known(role):
    assert ROLES[role].permissions
    assert set(ROLES[role].permissions) <= set(all_permissions())


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("roles/run.viewer", "run.services.get", "run.services.create"),
        ("roles/run.developer", "run.services.create", "run.services.setIamPolicy"),
        ("roles/run.invoker", "run.routes.invoke", "run.services.get"),
        ("roles/editor", "run.services.create", "run.services.setIamPolicy"),
        ("roles/editor", "secretmanager.secrets.create", "secretmanager.versions.access"),
        ("roles/viewer", "secretmanager.secrets.get", "secretmanager.versions.access"),
        ("roles/owner", "secretmanager.versions.access", "iam.serviceAccounts.getAccessToken"),
        ("roles/secretmanager.viewer", "secretmanager.versions.list", "secretmanager.versions.access"),
        (
            "roles/artifactregistry.reader",
            "artifactregistry.repositories.get",
            "artifactregistry.tags.create",
        ),
        ("roles/iam.serviceAccountUser", "iam.serviceAccounts.actAs", "iam.serviceAccounts.create"),
        ("roles/logging.logWriter", "logging.logEntries.create", "logging.logEntries.list"),
        ("roles/none.such", "", "run.services.get"),
    ],
)
def test_a_role_permits_what_google_documents(role, may, may_not):
    assert not may or permits(role, may)
    assert not permits(role, may_not)
