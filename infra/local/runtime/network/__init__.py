"""The network of the instances: ways into each of them, and out to this cloud and the world."""

from infra.local.runtime.network.names import CLOUD, METADATA
from infra.local.runtime.network.network import OUTWARD, Network, Plug

__all__ = ["CLOUD", "METADATA", "OUTWARD", "Network", "Plug"]
