"""Health checks of an instance: TCP, HTTP and gRPC, as Cloud Run makes them.

https://cloud.google.com/run/docs/configuring/healthchecks
"""

from infra.local.runtime.probes.ask import Dial, ask
from infra.local.runtime.probes.schedule import default_startup, healthy, startup, watch

__all__ = ["Dial", "ask", "default_startup", "healthy", "startup", "watch"]
