"""`python -m ci.engine.sandbox`: what containers have on this host - users, networks, limits, filter."""

import platform
import sys

from ci.engine import sandbox
from ci.engine.sandbox import filter as filters
from ci.engine.sandbox.limits import limits


def _users(host: sandbox.Host) -> str:
    if not host.uid_range:
        return "one uid: it is whichever user a step asks for (uidmap and /etc/subuid would give all of them)"
    return "all uids, lent to this user by /etc/subuid" if host.rootless else "all uids, as root"


def _network() -> str:
    try:
        network = sandbox.Network()
    except OSError as error:
        return f"the host's own ({error.strerror})"
    try:
        if network.way_out:
            return f"one for each container, that leads out by {network.way_out}"
        return f"the host's own, and one for each service that does not lead out ({network.reason})"
    finally:
        network.close()


def _limits() -> str:
    groups, most = sandbox.Groups.found(), limits()
    memory = "no limit" if most.memory is None else f"{most.memory / (1 << 30):.1f} GiB"
    means = f"control groups, version {groups.version}" if groups else "limits of each process"
    return f"{memory} of memory, {most.processes or 'no limit of'} processes, by {means}"


def main() -> int:
    """Print it; 1 when there can be no containers."""
    try:
        host = sandbox.enter()
        print(f"users:   {_users(host)}")
        print(f"network: {_network()}")
        print(f"limits:  {_limits()}")
    except sandbox.SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    filtered = filters.confined(pretend=False) != filters.ALLOW_ALL
    print(f"filter:  {'as Docker has it' if filtered else 'none'}, on {platform.machine()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
