"""Where a registry's API is: its own host, the host's mirrors of Docker Hub, plain HTTP on this machine."""

import ipaddress
import json
import os
from collections.abc import Mapping
from pathlib import Path

from ci.engine.images.reference import DEFAULT_REGISTRY

HUB = "https://registry-1.docker.io"
MIRRORS = "SHIPWAY_REGISTRY_MIRRORS"
_DAEMON_CONFIGS = (Path("/etc/docker/daemon.json"), Path("~/.config/docker/daemon.json"))


def endpoint(registry: str) -> str:
    """The base URL of a registry's API; plain HTTP only where it does not leave this machine."""
    if registry == DEFAULT_REGISTRY:
        return HUB
    return f"{'http' if _loopback(registry) else 'https'}://{registry}"


def mirrors(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """URLs of mirrors of Docker Hub.

    They are those of $SHIPWAY_REGISTRY_MIRRORS (with commas between), or else of Docker's daemon.json.
    """
    if named := environ.get(MIRRORS, ""):
        return tuple(url.strip().rstrip("/") for url in named.split(",") if url.strip())
    for file in _DAEMON_CONFIGS:
        try:
            found = json.loads(file.expanduser().read_bytes()).get("registry-mirrors", [])
        except (OSError, ValueError, AttributeError, RuntimeError):
            continue
        if found:
            return tuple(str(url).rstrip("/") for url in found)
    return ()


def _loopback(registry: str) -> bool:
    host = registry.rpartition(":")[0] if registry.rpartition(":")[2].isdigit() else registry
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
