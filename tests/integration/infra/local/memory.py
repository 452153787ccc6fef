"""The runtime's contract in memory: what the API's tests run on, where no process needs to start.

An image's name says what becomes of it: `broken` never listens, `missing` is not there, `slow` starts when it
is let to, `fails` exits with 3, `endless` runs until it is cancelled. Everything else works.
"""

import anyio

from infra.local.runtime.contract import DeployFailed, LogEntry, Target

NEVER_LISTENS = (
    "The user-provided container failed to start and listen on the port defined provided by the PORT=8080 "
    "environment variable within the allocated timeout."
)


class MemoryFleet:
    def __init__(self):
        self.specs = {}
        self.proven = set()
        self.retired = []
        self.tasks = []
        self.patient = True
        self.slow = anyio.Event()
        self.starting = anyio.Event()

    async def deploy(self, spec, *, proven=False):
        await anyio.lowlevel.checkpoint()
        if "missing" in spec.image:
            raise DeployFailed("CONTAINER_MISSING", f"Image '{spec.image}' not found.", "")
        if "broken" in spec.image:
            raise DeployFailed("HEALTH_CHECK_CONTAINER_ERROR", NEVER_LISTENS, "")
        if "slow" in spec.image:
            self.starting.set()
            await self.slow.wait()
        self.specs[spec.key] = spec
        self.proven |= {spec.key} if proven else set()

    async def retire(self, revision_key):
        await anyio.lowlevel.checkpoint()
        self.specs.pop(revision_key, None)
        self.retired.append(revision_key)

    def instances(self, revision_key):
        return int(revision_key in self.specs)

    async def run_task(self, spec, *, on_log):
        self.tasks.append(spec)
        on_log(LogEntry(spec.key, "stdout", "hello from a task", 0.0))
        if "endless" in spec.image and self.patient:
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()
        return 3 if "fails" in spec.image else 0


class MemoryFront:
    port = 8099

    def __init__(self):
        self.routes: dict[str, tuple[Target, ...]] = {}
        self.sticky: dict[str, bool] = {}
        self.internal: dict[str, bool] = {}
        self.allowed = {}

    def route(self, host, targets, session_affinity=False, *, internal=False, allowed=None):
        self.routes[host] = targets
        self.internal[host], self.allowed[host] = internal, allowed
        self.sticky[host] = session_affinity

    def unroute(self, host):
        self.routes.pop(host, None)
