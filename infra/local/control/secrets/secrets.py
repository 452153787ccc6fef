"""google.cloud.secretmanager.v1.SecretManagerService: its methods on secrets."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.cloud import secretmanager_v1 as api

from infra.local.api.definition import unwrap
from infra.local.api.errors import exists, invalid, precondition
from infra.local.control.iam import Policies
from infra.local.control.names import new_etag
from infra.local.control.paging import list_page
from infra.local.control.run.services import merge
from infra.local.control.secrets.filters import matcher
from infra.local.control.secrets.shelves import Shelves, canonical, check_id

_LABEL_KEY = re.compile(r"[a-z][\w-]{0,62}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
_ALIAS = re.compile(r"[a-zA-Z][\w-]{0,62}")
MAX_LABELS, MAX_ANNOTATIONS = 64, 16 << 10


class Secrets(Policies):
    """Secrets, and the policies on them."""

    def __init__(self, shelves: Shelves) -> None:
        super().__init__(shelves.store, shelves.secret)
        self._shelves = shelves

    async def create_secret(self, request: api.CreateSecretRequest) -> api.Secret:
        """CreateSecret: without a version, so without anything secret yet."""
        parent = canonical(request.parent)
        check_id(request.secret_id)
        name = f"{parent}/secrets/{request.secret_id}"
        if self._shelves.secrets.get(name) is not None:
            raise exists(f"Secret [{name}] already exists.", name)
        secret = api.Secret(request.secret)
        secret.name, secret.create_time, secret.etag = name, datetime.now(UTC), new_etag()
        regional = "/locations/" in name
        if regional == bool(unwrap(secret).replication.ListFields()):
            word = "must not" if regional else "must"
            raise invalid(
                f"Secret.replication {word} be provided.", [("secret.replication", f"{word} be set")]
            )
        _settle(secret, {})
        self._shelves.secrets.put(secret)
        return secret

    async def get_secret(self, request: api.GetSecretRequest) -> api.Secret:
        """GetSecret: what is known of it, never what is in it."""
        return self._shelves.secret(request.name)

    async def list_secrets(self, request: api.ListSecretsRequest) -> Any:
        """ListSecrets."""
        parent = canonical(request.parent)
        matches = matcher(request.filter)
        answer = list_page(self._shelves.secrets, parent, request, api.ListSecretsResponse)
        kept = [secret for secret in answer.secrets if matches(api.Secret.wrap(secret))]
        del answer.secrets[:]
        answer.secrets.extend(kept)
        answer.total_size = self._shelves.secrets.count(parent) if not request.filter else 0
        return answer

    async def update_secret(self, request: api.UpdateSecretRequest) -> api.Secret:
        """UpdateSecret: by its mask, which has to be there."""
        current = self._shelves.secret(request.secret.name)
        check_etag(request.secret.etag, current.etag)
        if not request.update_mask.paths:
            raise invalid("update_mask must be provided.", [("update_mask", "must not be empty")])
        if any(path.partition(".")[0] == "replication" for path in request.update_mask.paths):
            raise invalid("Secret.replication is immutable.", [("update_mask", "replication is immutable")])
        secret: api.Secret = merge(current, request.secret, request.update_mask, "UpdateSecretRequest")
        known = {version.name for version in self._shelves.versions.all(current.name)}
        _settle(secret, {int(name.rpartition("/")[2]): name for name in known})
        secret.etag = new_etag()
        self._shelves.secrets.put(secret)
        return secret

    async def delete_secret(self, request: api.DeleteSecretRequest) -> None:
        """DeleteSecret: with all of its versions."""
        secret = self._shelves.secret(request.name)
        check_etag(request.etag, secret.etag)
        self._shelves.forget(secret.name)


def check_etag(given: str, current: str) -> None:
    """Raise ApiError, 400, when a request was made for another version of a secret."""
    if given and given != current:
        raise precondition(
            f"The etag provided in the request ({given[:100]}) does not match the resource's current etag "
            f"({current}). Read the resource again and retry with its etag."
        )


def _settle(secret: api.Secret, versions: Mapping[int, str]) -> None:
    """Check what a client set, and turn a time to live into the time of expiry."""
    for key, value in secret.labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise invalid(
                f"Invalid label {key}: {value}.", [("secret.labels", f"Invalid label {key}: {value}.")]
            )
    if len(secret.labels) > MAX_LABELS:
        raise invalid(f"A secret has at most {MAX_LABELS} labels.")
    if sum(len(key) + len(value) for key, value in secret.annotations.items()) > MAX_ANNOTATIONS:
        raise invalid(f"A secret's annotations have at most {MAX_ANNOTATIONS} bytes.")
    for alias, number in secret.version_aliases.items():
        if not _ALIAS.fullmatch(alias) or alias == "latest":
            raise invalid(f"Invalid version alias {alias}.")
        if number not in versions:
            raise invalid(f"Version alias {alias} points to version {number}, which does not exist.")
    raw, now = unwrap(secret), datetime.now(UTC)
    if raw.HasField("ttl"):
        seconds = raw.ttl.seconds + raw.ttl.nanos / 1e9
        raw.expire_time.FromNanoseconds(int((now.timestamp() + seconds) * 1e9) // 1000 * 1000)
        raw.ClearField("ttl")
    if secret.expire_time and secret.expire_time <= now:
        raise invalid("Secret.expire_time must be in the future.")
    if "rotation" in secret and not secret.topics:
        raise invalid("Secret.rotation needs at least one topic in Secret.topics.")
