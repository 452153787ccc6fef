"""Projects in the names of Monitoring's resources."""

from infra.local.control.names import check_project

HOST = "monitoring.googleapis.com"


def project_of(name: str) -> str:
    """The project's id. Raises ApiError, 403, for one that cannot be."""
    project = name.split("/")[1]
    check_project(project, HOST)
    return project
