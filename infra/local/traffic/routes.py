"""From a host name to a revision: services, tags, percents and session affinity."""

from dataclasses import dataclass

from infra.local.runtime.contract import Target
from infra.local.traffic import affinity
from infra.local.traffic.access import Access
from infra.local.traffic.split import Split

_TAG = "---"


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a request goes: a revision, the instance that it would rather meet, and whether to be sticky.

    `host` is the service's, without a tag.
    """

    host: str
    revision_key: str
    access: Access
    instance: str = ""
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class _Route:
    split: Split
    tags: dict[str, str]
    sticky: bool
    access: Access


class Routes:
    """All hosts. A change is one assignment: a request sees the split before it or the one after it."""

    def __init__(self) -> None:
        self._routes: dict[str, _Route] = {}

    def put(self, host: str, targets: tuple[Target, ...], *, sticky: bool, access: Access) -> None:
        """Split a host's requests so from now on. Raises ValueError when a percent is out of range."""
        if any(not 0 <= target.percent <= 100 for target in targets):
            raise ValueError(f"the traffic of {host} has a percent that is not between 0 and 100")
        before = self._routes.get(host)
        split = Split(targets, before.split.point if before is not None else 0.0)
        tags = {target.tag: target.revision_key for target in targets if target.tag}
        self._routes[host] = _Route(split, tags, sticky, access)

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
            return None if route is None or key is None else Choice(rest, key, route.access)
        if route.sticky:
            key, instance = affinity.read(cookie)
            if key in route.split.keys:
                return Choice(host, key, route.access, instance, sticky=True)
        chosen = route.split.choose()
        return None if chosen is None else Choice(host, chosen, route.access, sticky=route.sticky)
