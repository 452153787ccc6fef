"""Workload Identity Federation: one repository's GitHub Actions may deploy, without a stored key."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_gcp import artifactregistry, iam, serviceaccount

from infra.components.identity import Identity
from infra.components.images import ImageRepository
from infra.components.site import Site

ISSUER = "https://token.actions.githubusercontent.com"


class GithubFederation(pulumi.ComponentResource):
    """A pool that trusts GitHub's tokens of ``repository`` alone, and the account that they may act as.

    The account may push images, roll out revisions, and act as the accounts in ``workloads`` and no others.
    """

    provider: pulumi.Output[str]
    deployer: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        site: Site,
        repository: str,
        images: ImageRepository,
        workloads: Mapping[str, Identity],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shipway:infra:GithubFederation", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        pool = iam.WorkloadIdentityPool(
            f"{name}-pool",
            project=site.project,
            workload_identity_pool_id=site.names.account("github"),
            display_name="GitHub Actions",
            opts=child,
        )
        trust = iam.WorkloadIdentityPoolProvider(
            f"{name}-provider",
            project=site.project,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="github",
            display_name="GitHub Actions",
            attribute_mapping={
                "google.subject": "assertion.sub",
                "attribute.repository": "assertion.repository",
                "attribute.environment": "assertion.environment",
            },
            # Without it, anybody's repository could ask.
            attribute_condition=f"assertion.repository == '{repository}'",
            oidc=iam.WorkloadIdentityPoolProviderOidcArgs(issuer_uri=ISSUER),
            opts=child,
        )
        deployer = Identity(
            f"{name}-deployer",
            site=site,
            role="deployer",
            purpose="deploys from GitHub Actions",
            roles=("roles/run.developer",),
            opts=child,
        )
        self._grant(name, site, repository, pool, deployer)
        artifactregistry.RepositoryIamMember(
            f"{name}-push",
            project=site.project,
            location=site.region,
            repository=images.repository.repository_id,
            role="roles/artifactregistry.writer",
            member=deployer.member,
            opts=child,
        )
        for workload, identity in workloads.items():
            serviceaccount.IAMMember(
                f"{name}-as-{workload}",
                service_account_id=identity.account.name,
                role="roles/iam.serviceAccountUser",
                member=deployer.member,
                opts=child,
            )
        self.provider, self.deployer = trust.name, deployer.email
        self.register_outputs({"provider": self.provider, "deployer": self.deployer})

    def _grant(
        self, name: str, site: Site, repository: str, pool: iam.WorkloadIdentityPool, deployer: Identity
    ) -> None:
        """Only the deployment environment of that name in the repository may act as the deployer."""
        serviceaccount.IAMMember(
            f"{name}-federated",
            service_account_id=deployer.account.name,
            role="roles/iam.workloadIdentityUser",
            member=pulumi.Output.concat(
                "principal://iam.googleapis.com/",
                pool.name,
                f"/subject/repo:{repository}:environment:{site.names.environment}",
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
