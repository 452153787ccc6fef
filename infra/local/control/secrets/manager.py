"""Secret Manager put together: its methods for the API, and the way of a revision to what it may read."""

from pathlib import Path

from infra.local.api import Api
from infra.local.api.errors import ApiError
from infra.local.control.iam import Access
from infra.local.control.names import check_project, numbered
from infra.local.control.run.secrets import SecretDenied, denied_text
from infra.local.control.secrets.secrets import Secrets
from infra.local.control.secrets.shelves import HOST, Shelves
from infra.local.control.secrets.vault import Vault
from infra.local.control.secrets.versions import Versions
from infra.local.state import Store

LIBRARY = "google.cloud.secretmanager_v1"
KEY = "secrets.key"
_SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"
_ACCESS = "secretmanager.versions.access"


class SecretManager:
    """Secret Manager over a store; the key of its payloads is a file in the folder `state`."""

    def __init__(self, store: Store, state: Path) -> None:
        shelves = Shelves(store, Vault(store, state / KEY))
        self._secrets = Secrets(shelves)
        self._versions = Versions(shelves)
        self._access = Access(store)

    def serve(self, api: Api) -> None:
        """Answer Secret Manager's methods."""
        api.serve(_SERVICE, self._secrets)
        api.serve(_SERVICE, self._versions)

    def read(self, version: str, account: str) -> bytes:
        """The payload of projects/P/secrets/S/versions/V for a service account.

        Raises SecretDenied unless the account was granted a role for it, at the secret or at its project.
        """
        project = version.split("/")[1]
        try:
            check_project(project, HOST)
            allowed = self._access.allowed(account, _ACCESS, numbered(version))
        except ApiError:
            allowed = False
        if not allowed:
            raise SecretDenied(denied_text(version, account, project))
        try:
            return self._versions.open(version)[1]
        except ApiError as error:
            if error.code == "NOT_FOUND":
                raise SecretDenied(f"Secret {numbered(version)} was not found") from error
            raise SecretDenied(error.message) from error
