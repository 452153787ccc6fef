"""The machine-learning service: everything between an image by digest and a URL that answers."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_gcp import cloudrunv2

from infra.components.apis import EnabledApis
from infra.components.identity import OBSERVED, Identity
from infra.components.images import ImageRepository, may_pull
from infra.components.release import Delivered
from infra.components.secrets import ServiceSecrets
from infra.components.serving import template, traffic
from infra.components.site import Site
from infra.settings import Settings

APIS = (
    "artifactregistry",
    "cloudresourcemanager",
    "iam",
    "iamcredentials",
    "logging",
    "monitoring",
    "run",
    "secretmanager",
    "sts",
)
EVERYBODY = "allUsers"


class MlService(pulumi.ComponentResource):
    """APIs, a repository for images, an identity, secrets, and the service with who may call it.

    Without a release everything is laid out but the service: its first image has to be pushed to the
    repository, and so the repository comes first. ``service_url`` is then None.
    """

    service_url: pulumi.Output[str | None]
    identity: Identity
    images: ImageRepository
    ready: list[pulumi.Resource]
    """What other things of the environment wait for: the APIs."""

    def __init__(
        self,
        name: str,
        *,
        site: Site,
        settings: Settings,
        release: Delivered | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shipway:infra:MlService", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        apis = EnabledApis(
            f"{name}-apis",
            project=site.project,
            apis=(*APIS, "billingbudgets") if settings.budget.account else APIS,
            opts=child,
        )
        self.ready = list(apis.services)
        after = pulumi.ResourceOptions(parent=self, depends_on=self.ready)
        self.images = ImageRepository(f"{name}-images", site=site, opts=after)
        self.identity = Identity(
            f"{name}-server", site=site, role="server", purpose="serves", roles=OBSERVED, opts=after
        )
        secrets = ServiceSecrets(
            f"{name}-secrets", site=site, values=settings.secrets, reader=self.identity.member, opts=after
        )
        self.service_url = pulumi.Output.from_input(None)
        if release is not None:
            self.service_url = self._serve(name, site, settings, release, secrets)
        self.register_outputs({"service_url": self.service_url, "repository": self.images.url})

    def _serve(
        self, name: str, site: Site, settings: Settings, release: Delivered, secrets: ServiceSecrets
    ) -> pulumi.Output[str | None]:
        pull = may_pull(
            f"{name}-pull",
            site,
            release.image,
            pulumi.ResourceOptions(parent=self, depends_on=[*self.ready, self.images.repository]),
        )
        service = cloudrunv2.Service(
            f"{name}-service",
            project=site.project,
            location=site.region,
            name=site.names.service,
            description=site.names.title("decides on loans"),
            ingress="INGRESS_TRAFFIC_ALL",
            labels={**site.names.labels, **release.labels},
            annotations=release.annotations,
            template=template(settings, site.names, release, self.identity.email, secrets.variables),
            traffics=traffic(settings.traffic),
            deletion_protection=settings.protection.protect,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*self.ready, pull, *secrets.ready]),
        )
        for number, member in enumerate(_callers(settings)):
            cloudrunv2.ServiceIamMember(
                f"{name}-invoker" if member == EVERYBODY else f"{name}-invoker-{number}",
                project=site.project,
                location=site.region,
                name=service.name,
                role="roles/run.invoker",
                member=member,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return service.uri


def _callers(settings: Settings) -> Sequence[str]:
    return (*settings.invokers, EVERYBODY) if settings.protection.public else settings.invokers
