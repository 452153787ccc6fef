"""Traffic of a service: which revisions its targets mean, and what the front proxy is to do for it."""

from dataclasses import dataclass

from google.cloud import run_v2

from infra.local.control.names import last
from infra.local.control.run import addresses
from infra.local.control.run.conditions import succeeded
from infra.local.control.run.defaults import LATEST
from infra.local.control.run.invokers import Doors
from infra.local.control.run.shelves import Shelves
from infra.local.runtime.contract import Front, Target


class Unroutable(Exception):
    """A target of the traffic is no revision that could serve; the text is Google's."""


@dataclass(frozen=True, slots=True)
class Split:
    """Targets for the proxy, and the statuses that say so."""

    targets: tuple[Target, ...]
    statuses: tuple[run_v2.TrafficTargetStatus, ...]

    @property
    def revisions(self) -> frozenset[str]:
        """Full names of all revisions that have traffic or a tag."""
        return frozenset(target.revision_key for target in self.targets)


def split(service: run_v2.Service, shelves: Shelves, port: int) -> Split:
    """What the service's traffic comes to. Raises Unroutable."""
    host = addresses.hosts(service.name)[0]
    targets, statuses = [], []
    for target in service.traffic:
        name = service.latest_ready_revision
        if target.type_ != LATEST:
            name = f"{service.name}/revisions/{last(target.revision)}"
        _check(name, last(service.name), shelves)
        uri = addresses.url(host, port, target.tag) if target.tag else ""
        statuses.append(
            run_v2.TrafficTargetStatus(
                type_=target.type_, revision=last(name), percent=target.percent, tag=target.tag, uri=uri
            )
        )
        if target.percent or target.tag:
            targets.append(Target(name, target.percent, target.tag))
    return Split(tuple(targets), tuple(statuses))


def route(service: run_v2.Service, chosen: Split, front: Front, shelves: Shelves, doors: Doors) -> None:
    """Let the proxy split requests to the service's hosts so, from the next request on."""
    revision = shelves.revisions.get(service.latest_ready_revision)
    affinity = revision is not None and revision.session_affinity
    for host in addresses.hosts(service.name):
        if service.default_uri_disabled:
            front.unroute(host)
            continue
        front.route(
            host,
            chosen.targets,
            affinity,
            internal=doors.internal(service),
            allowed=doors.allowed(service),
        )


def unroute(service: str, front: Front) -> None:
    """Let the proxy know the service's hosts no more."""
    for host in addresses.hosts(service):
        front.unroute(host)


def _check(name: str, service: str, shelves: Shelves) -> None:
    if not name:
        raise Unroutable(f"Service '{service}' has no revision that is ready to serve traffic.")
    revision = shelves.revisions.get(name)
    if revision is None or revision.delete_time:
        raise Unroutable(
            f"Revision '{last(name)}' does not exist or is deleted. Update all traffic to route to currently "
            "available revisions."
        )
    if not succeeded(revision.conditions, "Ready"):
        raise Unroutable(f"Revision '{last(name)}' is not ready and cannot serve traffic.")
