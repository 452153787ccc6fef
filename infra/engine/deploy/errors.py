"""What goes wrong in a deployment."""

from __future__ import annotations


class DeploymentError(Exception):
    """An update can't go on; the text is for a user, ``urn`` the resource that it is about (or empty)."""

    def __init__(self, message: str, urn: str = "") -> None:
        super().__init__(message)
        self.urn = urn


class ReportedError(DeploymentError):
    """The same, where the user has been told already."""


class StoppedError(DeploymentError):
    """Nothing new is begun any more: a step failed, or the update was interrupted."""

    def __init__(self) -> None:
        super().__init__("resource monitor shut down")
