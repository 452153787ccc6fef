"""The middle of the network, made; or why this machine's kernel has none for us, with the remedy."""

import errno

from ci.engine.sandbox import Hub, SandboxUnavailable
from infra.local.runtime.network.names import CLOUD, METADATA

_PREFIX = 16  # bits of 169.254.0.0/16, link-local: RFC 3927
_MODULES = "the kernel has no bridges yet: as root, `modprobe --all bridge veth`"
_REMEDIES = {
    errno.ENOSPC: "the kernel allows no more of them: as root, `sysctl user.max_net_namespaces=1000`",
    errno.EPERM: "the kernel does not let us: run this as root, or let users have namespaces",
    errno.EACCES: "the kernel does not let us: run this as root, or let users have namespaces",
}


def middle() -> Hub:
    """The namespace that everything goes through, with the addresses of the metadata server and the cloud.

    Raises SandboxUnavailable.
    """
    try:
        hub = Hub(_PREFIX, isolated=True)
    except OSError as error:
        raise _unavailable(error) from error
    try:
        hub.take(METADATA)
        hub.take(CLOUD)
        hub.take_all()
    except OSError as error:
        hub.close()
        raise _unavailable(error) from error
    return hub


def _unavailable(error: OSError) -> SandboxUnavailable:
    remedy = _REMEDIES.get(error.errno or 0, _MODULES)
    return SandboxUnavailable(f"no network for instances ({error.strerror}): {remedy}")
