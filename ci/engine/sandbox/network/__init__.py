"""The networks of containers: a hub between them, a way out of it, and who may reach whom."""

from ci.engine.sandbox.network.hub import Hub, visit

__all__ = ["Hub", "visit"]
