"""The base-image stage: the base image as an OCI archive, for a Dagger engine without a registry."""

from ci.stages.project import Project
from ci.stages.result import Result


async def base_image(project: Project) -> Result:
    """Hand back the base image; use it with ``--base-image oci-archive:PATH``."""
    return Result((), {"base-image.oci.tar": await project.base.as_tarball().sync()})
