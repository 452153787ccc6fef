"""What can be wrong with a project's files, in words for the user."""

from __future__ import annotations


class ProjectError(Exception):
    """The project, its configuration or the workspace can't be used as asked."""


class NoProjectError(ProjectError):
    """There is no Pulumi.yaml here or above."""
