"""The seam between what the API says and what runs: specifications, and what a fleet and a front proxy do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Probe:
    """A health check of an instance; times are in seconds."""

    kind: Literal["http", "tcp", "grpc"]
    port: int
    path: str = "/"
    service: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    initial_delay: float = 0
    timeout: float = 1
    period: float = 10
    failure_threshold: int = 3


@dataclass(frozen=True, slots=True)
class RevisionSpec:  # pylint: disable=too-many-instance-attributes  # as many as a revision has
    """All that is to be known of a revision, or of a task, to run it.

    `memory` is in bytes, `timeout` in seconds; `files` are by absolute path, as are `empty_dirs`: directories
    in memory and their sizes in bytes, 0 for as much as there is. A task has the id of its `execution`, and
    `service` is its job then.
    """

    project: str
    location: str
    service: str
    name: str
    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    port: int = 8080
    cpu: float = 1
    memory: int = 512 << 20
    concurrency: int = 80
    timeout: float = 300
    min_instances: int = 0
    max_instances: int = 100
    startup_probe: Probe | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    service_account: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = ""
    empty_dirs: Mapping[str, int] = field(default_factory=dict)
    execution: str = ""

    @property
    def key(self) -> str:
        """The revision's, or the task's, full name."""
        place = f"projects/{self.project}/locations/{self.location}"
        if self.execution:
            return f"{place}/jobs/{self.service}/executions/{self.execution}/tasks/{self.name}"
        return f"{place}/services/{self.service}/revisions/{self.name}"


class DeployFailed(Exception):
    """A revision did not become ready: Google's reason and message, and what its container printed."""

    def __init__(self, reason: str, message: str, log: str = "") -> None:
        super().__init__(reason, message, log)
        self.reason = reason
        self.message = message
        self.log = log

    def __str__(self) -> str:
        """The message alone."""
        return self.message


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line that a container printed, one request that was served, or what became of an instance.

    `resource` is the full name of the revision or task, `stream` "stdout", "stderr", "requests" or "system";
    `time` is in seconds since the epoch.
    """

    resource: str
    stream: str
    text: str
    time: float
    severity: str = "DEFAULT"
    payload: Mapping[str, object] | None = None
    trace: str = ""


Log = Callable[[LogEntry], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A revision's share of a host's requests, and its tag."""

    revision_key: str
    percent: int
    tag: str = ""


class Fleet(Protocol):
    """All instances of all revisions."""

    async def deploy(self, spec: RevisionSpec, *, proven: bool = False) -> None:
        """Start an instance and wait for its startup probe, unless it is `proven`. Raises DeployFailed."""

    async def retire(self, revision_key: str) -> None:
        """Drain and stop all instances of a revision."""

    def instances(self, revision_key: str) -> int:
        """How many instances of a revision there are."""

    async def run_task(self, spec: RevisionSpec, *, on_log: Log) -> int:
        """Run a job's task to its end; its exit code. Raises DeployFailed."""


# Whether a caller may invoke a host, given the value of its Authorization, "" where it has none.
# Raises infra.local.traffic.Unverified when that is a token that nobody issued.
Allowed = Callable[[str, str], bool]


class Front(Protocol):
    """The front proxy."""

    @property
    def port(self) -> int:
        """Where it listens."""

    def route(
        self,
        host: str,
        targets: tuple[Target, ...],
        session_affinity: bool = False,
        *,
        internal: bool = False,
        allowed: Allowed | None = None,
    ) -> None:
        """Split the requests to a host from now on.

        `internal` serves those from within the cloud alone, `allowed` those that it allows.
        """

    def unroute(self, host: str) -> None:
        """Know a host no more."""
