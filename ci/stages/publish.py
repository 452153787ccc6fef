"""The publish stage: the image in the environment's registry, named by its digest."""

import dagger

from ci.stages.build import build, image
from ci.stages.once import once
from ci.stages.project import Project
from ci.stages.provision import provisioned
from ci.stages.result import Result

USER = "oauth2accesstoken"


@once
async def published(project: Project) -> str | None:
    """Push the image, once a run; its reference by digest. Layers that are there are not sent again.

    None for an environment that runs what another one accepted.
    """
    delivery = project.delivery()
    if delivery.promoted:
        return None
    await provisioned(project)
    container: dagger.Container = await image(project)
    if delivery.token is not None:
        container = container.with_registry_auth(delivery.registry, USER, delivery.token)
    # A tag of the repository's never moves, and one commit may have several images: of changed files, say.
    digest = (await build(project)).facts["image"]["digest"].removeprefix("sha256:")
    tag = f"{delivery.target.commit[:12]}-{digest[:12]}"
    reference = await container.publish(f"{delivery.pushed}:{tag}")
    # NAME:TAG@DIGEST and NAME@DIGEST mean the same; a deployment is told the one that cannot move.
    return f"{delivery.image}@{reference.rpartition('@')[2]}"


async def publish(project: Project) -> Result:
    """Publish the image; hands back its reference by digest among the facts."""
    reference = await published(project)
    note = reference or f"none: it runs what {project.delivery().promoted} ran"
    return Result((), facts={"published": note})
