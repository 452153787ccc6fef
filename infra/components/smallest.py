"""The smallest component: what it takes to have one container answering on Cloud Run, and nothing else."""

import pulumi
from pulumi_gcp import cloudrunv2, projects


class SmallestService(pulumi.ComponentResource):
    """Cloud Run enabled, a service of one image, all traffic to its latest revision, and its URL.

    ``MlService`` is this with everything that a service with users needs beside it.
    """

    service_url: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        image: pulumi.Input[str],
        location: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shipway:infra:SmallestService", name, None, opts)
        api = projects.Service(
            f"{name}-run-api",
            service="run.googleapis.com",
            disable_on_destroy=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        service = cloudrunv2.Service(
            name,
            name=name,
            location=location,
            template=cloudrunv2.ServiceTemplateArgs(
                containers=[cloudrunv2.ServiceTemplateContainerArgs(image=image)]
            ),
            traffics=[
                cloudrunv2.ServiceTrafficArgs(type="TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent=100)
            ],
            deletion_protection=False,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[api]),
        )
        self.service_url = service.uri
        self.register_outputs({"service_url": self.service_url})
