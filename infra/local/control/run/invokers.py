"""Who may invoke a service: its ingress setting, and the policies that grant run.routes.invoke."""

from collections.abc import Callable, Iterator
from typing import Any

from google.cloud import run_v2

from infra.local.control.iam.roles import permits
from infra.local.control.iam.stored import read_policy
from infra.local.runtime.contract import Allowed
from infra.local.state import Store
from infra.local.traffic.access import Invokers

_INVOKE = "run.routes.invoke"
_ALL = run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL
Keys = Callable[[], dict[str, Any]]


class Doors:
    """Decides for the front proxy; `keys` are those that the local cloud signs identity tokens with.

    Who comes without a token of this cloud's is the owner of this machine, as at the API, and may invoke
    everything; unless the cloud is `strict`: then only what the policies let everybody invoke.
    """

    def __init__(self, store: Store, keys: Keys | None = None, *, strict: bool = False) -> None:
        self._store = store
        self._keys = keys
        self._strict = strict

    def internal(self, service: run_v2.Service) -> bool:
        """Whether only requests from within the cloud are served."""
        return service.ingress not in {0, _ALL}

    def allowed(self, service: run_v2.Service) -> Allowed | None:
        """Whom the proxy is to let in; None for all."""
        if self._keys is None or service.invoker_iam_disabled:
            return None
        name = service.name
        audiences = [*service.custom_audiences, *service.urls]
        invokers = Invokers(self._keys, lambda _host: set(self._members(name)), lambda _host: audiences)

        def decide(host: str, authorization: str) -> bool:
            if not self._strict and not _identity(authorization):
                return True
            return invokers(host, authorization)

        return decide

    def _members(self, service: str) -> Iterator[str]:
        parts = service.split("/")
        for name in (service, "/".join(parts[:2])):
            for binding in read_policy(self._store, name).bindings:
                if permits(binding.role, _INVOKE) and not binding.HasField("condition"):
                    yield from binding.members


def _identity(authorization: str) -> bool:
    """Whether this is an identity token, good or bad, rather than nothing or another cloud's."""
    return authorization.partition(" ")[2].count(".") == 2
