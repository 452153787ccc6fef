"""Cloud Monitoring put together: its methods for the API, and the evaluation of alert policies."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from infra.local.api import Api
from infra.local.control.logging import Logs
from infra.local.control.monitoring.channels import Channels
from infra.local.control.monitoring.custom import Points
from infra.local.control.monitoring.descriptors import Descriptors
from infra.local.control.monitoring.incidents import Incident, Watch
from infra.local.control.monitoring.logged import LogMetrics
from infra.local.control.monitoring.policies import Policies
from infra.local.control.monitoring.sources import Measured, Sources
from infra.local.control.monitoring.timeseries import TimeSeries
from infra.local.state import Store

_PROJECTS = "monitoring.v3.projects"


class Monitoring:
    """Cloud Monitoring over a store, the folder `state`, and what `measured` measures."""

    def __init__(
        self,
        store: Store,
        state: Path,
        measured: Measured,
        logs: Logs,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._points = Points(state)
        self._logged = LogMetrics(store, logs)
        self._descriptors = Descriptors(store, self._points, self._logged)
        self._channels = Channels(store)
        self._policies = Policies(store)
        self._sources = Sources(measured, self._points, self._logged, self._descriptors)
        self._watch = Watch(self._policies, self._channels, self._sources, logs, clock)

    def serve(self, api: Api) -> None:
        """Answer Monitoring's methods."""
        handlers = {
            "alertPolicies": self._policies,
            "metricDescriptors": self._descriptors,
            "notificationChannels": self._channels,
            "timeSeries": TimeSeries(self._sources, self._points, self._descriptors),
        }
        for name, handler in handlers.items():
            api.serve(f"{_PROJECTS}.{name}", handler)
        api.serve("logging.v2.projects.metrics", self._logged)

    def incidents(self, project: str = "") -> Sequence[Incident]:
        """Incidents of one project or of all, the newest first; open ones have `ended` 0."""
        return self._watch.incidents(project)

    def summaries(self) -> Sequence[str]:
        """What is wrong now: a line for each open incident."""
        return [f"{each.name}: {each.summary}" for each in self.incidents() if not each.ended]

    async def evaluate(self) -> None:
        """Evaluate all alert policies now."""
        await self._watch.evaluate()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Evaluate alert policies while the block is open."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch.working)
                yield
                group.cancel_scope.cancel()
        finally:
            self._points.close()
