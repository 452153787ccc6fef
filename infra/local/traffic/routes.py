"""From a host name to a revision: services, tags, percents and session affinity."""

import base64
import binascii
from dataclasses import dataclass

from infra.local.runtime.contract import Target
from infra.local.traffic.split import Split

#: The name of Cloud Run's session affinity cookie, and how long it lives, in seconds.
COOKIE = b"GAESA"
COOKIE_AGE = 30 * 24 * 3600
_TAG = "---"


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a request goes: a revision, the instance that it would rather meet, and whether to be sticky."""

    revision_key: str
    instance: str = ""
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class _Route:
    split: Split
    tags: dict[str, str]
    sticky: bool


class Routes:
    """All hosts. A change is one assignment: a request sees the split before it or the one after it."""

    def __init__(self) -> None:
        self._routes: dict[str, _Route] = {}

    def put(self, host: str, targets: tuple[Target, ...], *, sticky: bool) -> None:
        """Split a host's requests so from now on. Raises ValueError when a percent is out of range."""
        if any(not 0 <= target.percent <= 100 for target in targets):
            raise ValueError(f"the traffic of {host} has a percent that is not between 0 and 100")
        before = self._routes.get(host)
        split = Split(targets, before.split.point if before is not None else 0.0)
        tags = {target.tag: target.revision_key for target in targets if target.tag}
        self._routes[host] = _Route(split, tags, sticky)

    def remove(self, host: str) -> None:
        """Know a host no more; one that is not known is no error."""
        self._routes.pop(host, None)

    def choose(self, host: str, cookie: bytes) -> Choice | None:
        """Where a request to `host` goes, given its Cookie header; None when nothing is served there."""
        route = self._routes.get(host)
        if route is None:
            tag, found, rest = host.partition(_TAG)
            route = self._routes.get(rest) if found else None
            key = route.tags.get(tag) if route is not None else None
            return None if key is None else Choice(key)
        if route.sticky:
            key, _, instance = _read(cookie).rpartition("/instances/")
            if key in route.split.keys:
                return Choice(key, instance, sticky=True)
        chosen = route.split.choose()
        return None if chosen is None else Choice(chosen, sticky=route.sticky)


def cookie_for(revision_key: str, instance: str) -> bytes:
    """The value of Set-Cookie that brings a client back to an instance."""
    value = base64.urlsafe_b64encode(f"{revision_key}/instances/{instance}".encode()).rstrip(b"=")
    return b"%s=%s; Max-Age=%d; Path=/; HttpOnly" % (COOKIE, value, COOKIE_AGE)


def _read(cookie: bytes) -> str:
    """What an affinity cookie says; "" when there is none, or none of ours. It is a wish, never a right."""
    for pair in cookie.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name == COOKIE:
            try:
                return base64.urlsafe_b64decode(value + b"=" * (-len(value) % 4)).decode()
            except (binascii.Error, ValueError):
                return ""
    return ""
