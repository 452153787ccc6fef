"""google.cloud.secretmanager.v1.SecretManagerService: its methods on the versions of a secret."""

from datetime import UTC, datetime
from typing import Any

from google.cloud import secretmanager_v1 as api

from infra.local.api.definition import unwrap
from infra.local.api.errors import ApiError, invalid, precondition
from infra.local.control.names import new_etag
from infra.local.control.paging import list_page
from infra.local.control.secrets.crc32c import crc32c
from infra.local.control.secrets.filters import matcher
from infra.local.control.secrets.secrets import check_etag
from infra.local.control.secrets.shelves import STATE, Shelves

MAX_PAYLOAD = 64 << 10


class Versions:
    """Versions of secrets."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    async def add_secret_version(self, request: api.AddSecretVersionRequest) -> api.SecretVersion:
        """AddSecretVersion: the next number, enabled."""
        secret = self._shelves.secret(request.parent)
        data, given = request.payload.data, unwrap(request.payload).HasField("data_crc32c")
        if not data:
            raise invalid("SecretPayload.data must not be empty.", [("payload.data", "must not be empty")])
        if len(data) > MAX_PAYLOAD:
            text = f"The secret payload is larger than {MAX_PAYLOAD} bytes."
            raise invalid(text, [("payload.data", text)])
        if given and request.payload.data_crc32c != crc32c(data):
            text = "The checksum in data_crc32c does not match that of the payload."
            raise invalid(text, [("payload.data_crc32c", text)])
        # Versions are destroyed, and never removed: their number is that of the last one.
        number = self._shelves.versions.count(secret.name) + 1
        version = api.SecretVersion(
            name=f"{secret.name}/versions/{number}",
            create_time=datetime.now(UTC),
            state=STATE.ENABLED,
            etag=new_etag(),
            client_specified_payload_checksum=given,
            replication_status=_replicated(secret),
        )
        with self._shelves.store.transaction():
            self._shelves.versions.put(version)
            self._shelves.vault.put(version.name, data)
        return version

    async def access_secret_version(self, request: api.AccessSecretVersionRequest) -> Any:
        """AccessSecretVersion: the only method that answers with what is secret."""
        version, data = self.open(request.name)
        payload = api.SecretPayload(data=data, data_crc32c=crc32c(data))
        return api.AccessSecretVersionResponse(name=version.name, payload=payload)

    async def get_secret_version(self, request: api.GetSecretVersionRequest) -> api.SecretVersion:
        """GetSecretVersion."""
        return self._shelves.version(request.name)

    async def list_secret_versions(self, request: api.ListSecretVersionsRequest) -> Any:
        """ListSecretVersions: the newest first."""
        secret = self._shelves.secret(request.parent)
        matches = matcher(request.filter)
        response = api.ListSecretVersionsResponse
        answer = list_page(self._shelves.versions, secret.name, request, response, newest_first=True)
        found = [self._shelves.destroyed_in_time(api.SecretVersion.wrap(each)) for each in answer.versions]
        made = response(versions=[each for each in found if matches(each)])
        made.next_page_token = answer.next_page_token
        made.total_size = self._shelves.versions.count(secret.name) if not request.filter else 0
        return made

    async def enable_secret_version(self, request: api.EnableSecretVersionRequest) -> api.SecretVersion:
        """EnableSecretVersion."""
        return self._turn(request.name, request.etag, STATE.ENABLED)

    async def disable_secret_version(self, request: api.DisableSecretVersionRequest) -> api.SecretVersion:
        """DisableSecretVersion."""
        return self._turn(request.name, request.etag, STATE.DISABLED)

    async def destroy_secret_version(self, request: api.DestroySecretVersionRequest) -> api.SecretVersion:
        """DestroySecretVersion: at once, or after the secret's version_destroy_ttl."""
        version = self._shelves.version(request.name)
        check_etag(request.etag, version.etag)
        secret = self._shelves.secret(version.name.rpartition("/versions/")[0])
        if version.state == STATE.DESTROYED:
            raise destroyed(version)
        if secret.version_destroy_ttl:
            version.state, version.etag = STATE.DISABLED, new_etag()
            version.scheduled_destroy_time = datetime.now(UTC) + secret.version_destroy_ttl
            self._shelves.versions.put(version)
        else:
            self._shelves.destroy(version)
        return version

    def open(self, name: str) -> tuple[api.SecretVersion, bytes]:
        """A version and its payload. Raises ApiError."""
        version = self._shelves.version(name)
        if version.state != STATE.ENABLED:
            raise destroyed(version)
        try:
            return version, self._shelves.vault.get(version.name)
        except LookupError as error:
            raise ApiError("INTERNAL", str(error)) from error

    def _turn(self, name: str, etag: str, state: Any) -> api.SecretVersion:
        version = self._shelves.version(name)
        check_etag(etag, version.etag)
        if version.state == STATE.DESTROYED:
            raise destroyed(version)
        if version.state != state:
            version.state, version.etag = state, new_etag()
            version.scheduled_destroy_time = None
            self._shelves.versions.put(version)
        return version


def destroyed(version: api.SecretVersion) -> ApiError:
    """400 for a version that is not as it has to be."""
    return precondition(f"Secret Version [{version.name}] is in {version.state.name} state.")


def _replicated(secret: api.Secret) -> api.ReplicationStatus:
    if "user_managed" in secret.replication:
        replicas = [
            api.ReplicationStatus.UserManagedStatus.ReplicaStatus(location=replica.location)
            for replica in secret.replication.user_managed.replicas
        ]
        return api.ReplicationStatus(user_managed=api.ReplicationStatus.UserManagedStatus(replicas=replicas))
    return api.ReplicationStatus(automatic=api.ReplicationStatus.AutomaticStatus())
