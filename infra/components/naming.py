"""Names and labels, in one place: what each thing is called, in every environment."""

from dataclasses import dataclass
from typing import Final

LABEL_LENGTH: Final = 63
"""Google's limit; a SHA-256 in hexadecimal has 64 digits, and the first 63 tell it as well."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Names of the parts of one service in one environment.

    Each environment is a project of its own, so that names need not tell environments apart; labels and names
    that people see do.
    """

    service: str
    environment: str

    @property
    def repository(self) -> str:
        """The Artifact Registry repository of the service's images."""
        return self.service

    @property
    def training(self) -> str:
        """The job that trains."""
        return f"{self.service}-training"

    def account(self, role: str) -> str:
        """A service account's id, at most 30 characters (Google's limit): ``role`` has at most 9."""
        return f"{self.service}-{role}"

    def secret(self, variable: str) -> str:
        """The secret behind an environment variable."""
        return f"{self.service}-{variable.lower().replace('_', '-')}"

    def title(self, text: str) -> str:
        """A display name."""
        return f"{self.service} ({self.environment}): {text}"

    @property
    def labels(self) -> dict[str, str]:
        """What every resource that takes labels is labelled with."""
        return {"application": self.service, "environment": self.environment, "managed-by": "pulumi"}


def label(digest: str) -> str:
    """A digest or commit as a label's value."""
    return digest.removeprefix("sha256:")[:LABEL_LENGTH]
