"""The APIs that a project must have enabled before anything else is made there."""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import projects


class EnabledApis(pulumi.ComponentResource):
    """Google's APIs, enabled; they stay so, as others in the project may use them by then."""

    services: list[projects.Service]

    def __init__(
        self, name: str, *, project: str, apis: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("shipway:infra:EnabledApis", name, None, opts)
        self.services = [
            projects.Service(
                f"{name}-{api}",
                project=project,
                service=f"{api}.googleapis.com",
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for api in apis
        ]
        self.register_outputs({"enabled": [service.service for service in self.services]})
