"""Who may call a method, and how often: what Google's front end decides before an API hears of a request.

https://cloud.google.com/apis/design/errors: 401 for a bad token, 403 for an API that is not enabled or a
permission that the caller lacks, 429 for a project's quota.
"""

import base64
import json
import math
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from infra.local.api.definition import Binding
from infra.local.api.errors import ApiError, unauthenticated

# What this cloud's own access tokens begin with; others are of no concern to it.
PREFIX = "ya29.local-"
# The service account whose request is being answered, "" for the owner's.
caller: ContextVar[str] = ContextVar("caller", default="")
_TYPE = "type.googleapis.com/google.rpc."
_MINUTE = 60.0
_MOST_COUNTS = 1000  # projects and APIs, before those of past minutes are forgotten
_UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential. "
    "See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


class Tokens(Protocol):
    """Knows the tokens that it issued; the runtime's `Identity` does."""

    def account_of(self, token: str) -> str | None:
        """The service account of an access token, while it is valid."""

    def jwks(self) -> dict[str, Any]:
        """The keys that identity tokens are signed with."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the guard asks.

    The `permission` that a method needs; whether an account is `allowed` one on a resource; whether an API is
    `usable` in a project; the `number` of a project; an API's `title`.
    """

    permission: Callable[[Binding], str]
    allowed: Callable[[str, str, str], bool]
    usable: Callable[[str, str], bool]
    number: Callable[[str], str]
    title: Callable[[str], str]


class Gate:
    """Guards all APIs.

    A caller without a token, or with one that was not issued here, is the owner of everything; so anonymous
    clients work. `per_minute` is how many requests an API answers for a project in a minute, 0 for any
    number.
    """

    def __init__(
        self,
        tokens: Tokens,
        rules: Rules,
        *,
        per_minute: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._rules = rules
        self._per_minute = per_minute
        self._clock = clock
        self._counts: dict[tuple[str, str], tuple[float, int]] = {}

    def __call__(self, rpc: Binding, path: MutableMapping[str, str], authorization: str | None) -> None:
        """Let a request through, or raise ApiError: 401, 403, 429."""
        account = self._account(rpc, authorization)
        caller.set(account or "")
        resource = _resource(rpc, path)
        project = _project(resource)
        if project:
            self._enabled(project, rpc.api)
            self._within_quota(project, rpc.api)
        if account is not None and not _said_in_body(rpc, resource):
            self._permitted(account, rpc, resource)

    def about(self, rpc: Binding, path: Mapping[str, str], body: Mapping[str, Any]) -> None:
        """Ask for what is named in the message alone, as in logging's entries; or raise ApiError, 403."""
        account, resource = caller.get(), _resource(rpc, path)
        if account and _said_in_body(rpc, resource):
            for name in _named(body) or [""]:
                self._permitted(account, rpc, name)

    def _account(self, rpc: Binding, authorization: str | None) -> str | None:
        scheme, _, token = (authorization or "").strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer":
            return None
        if token.startswith(PREFIX):
            account = self._tokens.account_of(token)
            if account is None:
                raise unauthenticated(_UNAUTHENTICATED, "ACCESS_TOKEN_EXPIRED", rpc.api)
            return account
        # An identity token says who somebody is; it lets nobody in.
        key = _key_of(token)
        if key and any(each["kid"] == key for each in self._tokens.jwks()["keys"]):
            raise unauthenticated(_UNAUTHENTICATED, "ACCESS_TOKEN_TYPE_UNSUPPORTED", rpc.api)
        return None

    def _enabled(self, project: str, service: str) -> None:
        if self._rules.usable(project, service):
            return
        number, title = self._rules.number(project), self._rules.title(service)
        url = f"https://console.developers.google.com/apis/api/{service}/overview?project={number}"
        link = {"description": "Google developers console API activation", "url": url}
        metadata = {
            "service": service,
            "consumer": f"projects/{number}",
            "containerInfo": number,
            "serviceTitle": title,
            "activationUrl": url,
        }
        raise ApiError(
            "PERMISSION_DENIED",
            f"{title} has not been used in project {number} before or it is disabled. Enable it by visiting "
            f"{url} then retry. If you enabled this API recently, wait a few minutes for the action to "
            "propagate to our systems and retry.",
            [_info("SERVICE_DISABLED", metadata), {"@type": f"{_TYPE}Help", "links": [link]}],
        )

    def _within_quota(self, project: str, service: str) -> None:
        if not self._per_minute:
            return
        number, now = self._rules.number(project), self._clock()
        if len(self._counts) > _MOST_COUNTS:
            self._counts = {key: each for key, each in self._counts.items() if now - each[0] < _MINUTE}
        start, count = self._counts.get((number, service), (now, 0))
        if now - start >= _MINUTE:
            start, count = now, 0
        if count >= self._per_minute:
            raise _exhausted(service, number, self._per_minute, start + _MINUTE - now)
        self._counts[number, service] = (start, count + 1)

    def _permitted(self, account: str, rpc: Binding, resource: str) -> None:
        permission = self._rules.permission(rpc)
        # What is about no project of its own is asked for in the caller's.
        where = resource or f"projects/{_home(account)}"
        if not permission or self._rules.allowed(account, permission, where):
            return
        metadata = {"permission": permission, "resource": where}
        raise ApiError(
            "PERMISSION_DENIED",
            f"Permission '{permission}' denied on resource '{where}' (or it may not exist).",
            [_info("IAM_PERMISSION_DENIED", metadata, "iam.googleapis.com")],
        )


def _resource(rpc: Binding, path: Mapping[str, str]) -> str:
    """The full name of what a request is about, "" where its path does not say."""
    name = next(iter(path.values()), "")
    if rpc.service == "cloudresourcemanager.v1.projects" and name:
        return name if name.startswith("projects/") else f"projects/{name}"
    if not name.startswith("projects/-/"):
        return name
    account = name.rpartition("/")[2].partition(":")[0]
    home = _home(account)
    return f"projects/{home}/serviceAccounts/{account}" if home else ""


def _said_in_body(rpc: Binding, resource: str) -> bool:
    return not resource and rpc.verb == "POST"


def _named(body: Mapping[str, Any]) -> list[str]:
    """The resources that a message of Cloud Logging is about."""
    logs = [body, *body.get("entries", ())]
    return [
        *body.get("resourceNames", ()),
        *(f"projects/{project}" for project in body.get("projectIds", ())),
        *(each["logName"] for each in logs if each.get("logName")),
    ]


def _project(resource: str) -> str:
    kind, _, rest = resource.partition("/")
    return rest.partition("/")[0] if kind == "projects" else ""


def _home(account: str) -> str:
    """The project that a service account is of, by its address: its id or number."""
    name, _, host = account.partition("@")
    if host.endswith(".iam.gserviceaccount.com"):
        return host.partition(".")[0]
    return name.removesuffix("-compute") if host == "developer.gserviceaccount.com" else ""


def _key_of(token: str) -> str:
    """The id of the key that a JSON Web Token says it is signed with, "" for what is none."""
    head, dot, _ = token.partition(".")
    if not dot or token.count(".") != 2:
        return ""
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return ""
    return str(header.get("kid", "")) if isinstance(header, dict) else ""


def _exhausted(service: str, number: str, limit: int, seconds: float) -> ApiError:
    text = (
        "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service "
        f"'{service}' for consumer 'project_number:{number}'."
    )
    metadata = {
        "service": service,
        "consumer": f"projects/{number}",
        "quota_metric": f"{service}/requests",
        "quota_limit": "RequestsPerMinutePerProject",
        "quota_limit_value": str(limit),
        "quota_location": "global",
        "quota_unit": "1/min/{project}",
    }
    violation = {"subject": f"project_number:{number}", "description": text}
    delay = {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{max(1, math.ceil(seconds))}s"}
    failure = {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]}
    return ApiError("RESOURCE_EXHAUSTED", text, [_info("RATE_LIMIT_EXCEEDED", metadata), failure, delay])


def _info(reason: str, metadata: Mapping[str, str], domain: str = "googleapis.com") -> dict[str, Any]:
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": domain, "metadata": dict(metadata)}
