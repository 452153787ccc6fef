"""What Secret Manager keeps, and how its resources are found by the names that clients use."""

import re
from datetime import UTC, datetime
from typing import Any

from google.cloud import secretmanager_v1 as api

from infra.local.api.errors import denied, invalid, not_found
from infra.local.control.iam import Policies
from infra.local.control.names import check_project, new_etag, numbered
from infra.local.control.secrets.vault import Vault
from infra.local.state import Shelf, Store

STATE: Any = api.SecretVersion.State
HOST = "secretmanager.googleapis.com"
_LOCATION = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
_ID = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class Shelves:
    """Secrets and versions in a store. Names have the project's number; ids of projects are understood."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self.store = store
        self.vault = vault
        self.secrets = Shelf(store, "secret", api.Secret)
        self.versions = Shelf(store, "secret-version", api.SecretVersion)

    def secret(self, name: str) -> api.Secret:
        """The secret of that name. Raises ApiError, 403 or 404."""
        name = canonical(name)
        secret = self.secrets.get(name)
        if secret is not None and secret.expire_time and secret.expire_time <= datetime.now(UTC):
            self.forget(name)
            secret = None
        if secret is None:
            raise not_found(f"Secret [{name}] not found.")
        return secret

    def version(self, name: str) -> api.SecretVersion:
        """The version of that name, whose end may be "latest" or an alias. Raises ApiError, 403 or 404."""
        above, _, end = canonical(name).rpartition("/versions/")
        secret = self.secret(above)
        number = secret.version_aliases.get(end, end)
        if end == "latest":
            number = self.versions.count(above)
        if not _NUMBER.fullmatch(str(number)) and end != "latest":
            raise invalid(f"The provided version [{end}] is neither a number nor an alias of the secret.")
        version = self.versions.get(f"{above}/versions/{number}")
        if version is None:
            raise not_found(f"Secret Version [{above}/versions/{end}] not found.")
        return self.destroyed_in_time(version)

    def destroyed_in_time(self, version: api.SecretVersion) -> api.SecretVersion:
        """A version whose destruction was scheduled, destroyed when its time has come."""
        due = version.scheduled_destroy_time
        if due and due <= datetime.now(UTC) and version.state != STATE.DESTROYED:
            self.destroy(version)
        return version

    def destroy(self, version: api.SecretVersion) -> None:
        """Forget a version's payload for good."""
        version.state = STATE.DESTROYED
        version.destroy_time = datetime.now(UTC)
        version.scheduled_destroy_time = None
        version.etag = new_etag()
        with self.store.transaction():
            self.vault.remove(version.name)
            self.versions.put(version)

    def forget(self, name: str) -> None:
        """Forget a secret with its versions, their payloads and its policy."""
        with self.store.transaction():
            self.secrets.remove(name)
            self.versions.remove_under(name)
            self.vault.remove_under(name)
            Policies(self.store, self.secret).forget(name)


def canonical(name: str) -> str:
    """A resource's name with the project's number. Raises ApiError, 403, for what can be no project."""
    parts = name.split("/")
    check_project(parts[1], HOST)
    if len(parts) > 3 and parts[2] == "locations" and not _LOCATION.fullmatch(parts[3]):
        raise denied(f"Permission denied on 'locations/{parts[3]}' (or it may not exist).")
    return numbered(name)


def check_id(secret_id: str) -> None:
    """Raise ApiError, 400, unless a secret may have that id."""
    if not _ID.fullmatch(secret_id):
        text = (
            f"The provided Secret ID [{secret_id[:300]}] does not match the expected format [[a-zA-Z_0-9]+]"
        )
        raise invalid(text, [("secret_id", text)])
