"""Where a registry's API is: its own host, the mirrors that this host's settings name, plain HTTP here."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from ci.engine.images.errors import RegistryDenied
from ci.engine.images.reference import DEFAULT_REGISTRY, Reference
from ci.engine.images.registry.settings import Settings

HUB = "https://registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Place:
    """The API at `base` answers for `repository`; logins are those for `registry`.

    An `insecure` place's certificate is not checked, and it may have none.
    """

    base: str
    registry: str
    repository: str
    insecure: bool = False


def endpoint(registry: str, *, secured: bool = False) -> str:
    """The base URL of a registry's API.

    Plain HTTP is used only where it does not leave this machine, and there only for a registry that is not
    `secured`, which is one that has certificates of its own in this host's settings.
    """
    if registry == DEFAULT_REGISTRY:
        return HUB
    return f"{'http' if _loopback(registry) and not secured else 'https'}://{registry}"


def places(reference: Reference, settings: Settings, mirrors: Sequence[str] | None = None) -> list[Place]:
    """Where to look for an image: `mirrors` of Docker Hub or the settings' ones first, its own registry last.

    Raises RegistryDenied when the settings block the registry.
    """
    found: list[Place] = []
    if reference.registry == DEFAULT_REGISTRY:
        hub = settings.hub_mirrors() if mirrors is None else tuple(mirrors)
        found += [Place(url, url.partition("://")[2], reference.repository) for url in hub]
    rule = settings.rule(reference.name)
    if rule is None:
        return [*found, own(reference, settings)]
    if rule.blocked:
        raise RegistryDenied(
            f"{reference.familiar}: {rule.prefix} is blocked in {rule.file}: use another registry, "
            "or change that file"
        )
    rest = rule.rest(reference.name)
    for mirror in rule.mirrors:
        if mirror.pull == "all" or (mirror.pull == "digest-only") == (reference.digest is not None):
            found.append(_place(mirror.location + rest, insecure=mirror.insecure, settings=settings))
    return [*found, own(reference, settings)]


def served_at(address: str, reference: Reference) -> Place:
    """A registry at another address than its name leads to; it is this machine's, so it may be insecure."""
    port = reference.registry.rpartition(":")[2]
    host = f"[{address}]" if ":" in address else address
    base = f"https://{host}:{port}" if port.isdigit() else f"https://{host}"
    return Place(base, reference.registry, reference.repository, insecure=True)


def own(reference: Reference, settings: Settings) -> Place:
    """Where the registry itself is, for pulling last and for pushing."""
    rule = settings.rule(reference.name)
    if rule is None:
        return _place(reference.name, insecure=False, settings=settings)
    name = rule.location + rule.rest(reference.name) if rule.location else reference.name
    return _place(name, insecure=rule.insecure, settings=settings)


def _place(name: str, *, insecure: bool, settings: Settings) -> Place:
    registry, _, repository = name.partition("/")
    base = endpoint(registry, secured=settings.secured(registry))
    return Place(base, registry, repository, insecure or settings.insecure(registry))


def _loopback(registry: str) -> bool:
    host = registry.rpartition(":")[0] if registry.rpartition(":")[2].isdigit() else registry
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
