"""monitoring.v3: where notifications go. A webhook on this machine is called, others are logged."""

import uuid
from urllib.parse import urlsplit

from infra.local.api.discovery import Request
from infra.local.api.errors import not_found, precondition
from infra.local.control.documents import Documents, Json, check_mask, merged, timestamp
from infra.local.control.monitoring.names import project_of
from infra.local.control.monitoring.query import bad
from infra.local.state import Store

_NEEDED = {
    "email": "email_address",
    "webhook_tokenauth": "url",
    "webhook_basicauth": "url",
    "pubsub": "topic",
    "slack": "channel_name",
    "sms": "number",
    "pagerduty": "service_key",
}
_FIELDS = (
    "creationRecord", "description", "displayName", "enabled", "labels", "mutationRecords", "name", "type",
    "userLabels", "verificationStatus",
)  # fmt: skip


class Channels:
    """The methods on notification channels."""

    def __init__(self, store: Store) -> None:
        self._documents = Documents(store, "notification-channel")
        self._policies = Documents(store, "alert-policy")

    async def create(self, request: Request) -> Json:
        """A new channel."""
        project = project_of(request.parameters["name"])
        name = f"projects/{project}/notificationChannels/{uuid.uuid4().int % 10**19}"
        return self._save(name, request.body, {"mutateTime": timestamp()})

    async def get(self, request: Request) -> Json:
        """The channel."""
        return self._find(request.parameters["name"])

    async def list(self, request: Request) -> Json:
        """The channels of a project."""
        project = project_of(request.parameters["name"])
        if request.parameters.get("filter"):
            raise bad("filter", request.parameters["filter"], "Filters of channels are not served here.")
        return self._documents.page(f"projects/{project}", request.parameters, "notificationChannels")

    async def patch(self, request: Request) -> Json:
        """Change a channel."""
        current, mask = self._find(request.parameters["name"]), request.parameters.get("updateMask")
        check_mask(mask, _FIELDS)
        fixed = ("name", "type", "creationRecord")
        changed = merged(current, request.body, mask, fixed)
        return self._save(current["name"], changed, current["creationRecord"])

    async def delete(self, request: Request) -> None:
        """Forget a channel that no policy notifies, or any with `force`."""
        name = self._find(request.parameters["name"])["name"]
        users = [
            policy for policy in self._policies.all("/".join(name.split("/")[:2]))
            if name in policy.get("notificationChannels", [])
        ]  # fmt: skip
        if users and not request.parameters.get("force"):
            text = f"Notification channel {name} is in use by {users[0]['name']}: set force to delete it."
            raise precondition(text)
        for policy in users:
            policy["notificationChannels"].remove(name)
            self._policies.put(policy["name"], policy)
        self._documents.remove(name)

    def find(self, name: str) -> Json | None:
        """The channel of that name."""
        return self._documents.get(name)

    def _find(self, name: str) -> Json:
        project_of(name)
        found = self._documents.get(name)
        if found is None:
            raise not_found(f"Could not find notification channel {name}.")
        return found

    def _save(self, name: str, given: Json, created: Json) -> Json:
        kind = given.get("type", "")
        if kind not in _NEEDED:
            raise bad("notification_channel.type", kind, f"It must be one of {', '.join(_NEEDED)}.")
        value = given.get("labels", {}).get(_NEEDED[kind], "")
        if not value or (kind == "email" and "@" not in value) or not _is_address(kind, value):
            where = f"notification_channel.labels['{_NEEDED[kind]}']"
            raise bad(where, value, "The value is missing or invalid.")
        made = {**given, "name": name, "creationRecord": created}
        made.setdefault("enabled", True)
        made.pop("verificationStatus", None)
        return self._documents.put(name, made)


def _is_address(kind: str, value: str) -> bool:
    if not kind.startswith("webhook"):
        return True
    try:
        address = urlsplit(value)
        return address.scheme in {"http", "https"} and bool(address.hostname)
    except ValueError:
        return False
