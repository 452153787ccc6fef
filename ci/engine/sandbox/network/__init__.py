"""The networks of containers: a hub between them, a way out of it, and who may reach whom."""

from ci.engine.sandbox.network.hub import Hub, visit
from ci.engine.sandbox.network.network import GATEWAY, Network

__all__ = ["GATEWAY", "Hub", "Network", "visit"]
