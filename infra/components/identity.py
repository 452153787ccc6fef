"""Who a workload is: a service account with the roles that it needs and no others, and no keys."""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import projects, serviceaccount

from infra.components.site import Site


class Identity(pulumi.ComponentResource):
    """A service account with roles in its own project."""

    email: pulumi.Output[str]
    member: pulumi.Output[str]
    account: serviceaccount.Account

    def __init__(
        self,
        name: str,
        *,
        site: Site,
        role: str,
        purpose: str,
        roles: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shipway:infra:Identity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.account = serviceaccount.Account(
            name,
            project=site.project,
            account_id=site.names.account(role),
            display_name=site.names.title(purpose),
            opts=child,
        )
        self.email, self.member = self.account.email, self.account.member
        for granted in roles:
            projects.IAMMember(
                f"{name}-{granted.removeprefix('roles/')}",
                project=site.project,
                role=granted,
                member=self.member,
                opts=child,
            )
        self.register_outputs({"email": self.email})


OBSERVED: Sequence[str] = ("roles/logging.logWriter", "roles/monitoring.metricWriter")
"""What anything that runs needs so that it can be watched."""
