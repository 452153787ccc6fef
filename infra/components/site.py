"""Where an environment is: its project, by id and number, and its region."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import organizations

from infra.components.naming import Naming


@dataclass(frozen=True, slots=True)
class Site:
    """A project, a region, and how things are named there."""

    project: str
    number: pulumi.Output[str]
    region: str
    names: Naming

    @classmethod
    def of(cls, project: str, region: str, names: Naming) -> "Site":
        """The site in a project whose number Google is asked for."""
        found = organizations.get_project_output(project_id=project)
        return cls(project, found.number, region, names)

    @property
    def service_agent(self) -> pulumi.Output[str]:
        """The principal by which Cloud Run pulls images for this project."""
        return pulumi.Output.format(
            "serviceAccount:service-{0}@serverless-robot-prod.iam.gserviceaccount.com", self.number
        )
