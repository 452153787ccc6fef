"""What Cloud Run says of instances, in its own words: https://cloud.google.com/run/docs/troubleshooting."""

import signal
from typing import Literal

from infra.local.runtime.contract import DeployFailed, Probe, RevisionSpec

UNHEALTHY = "HEALTH_CHECK_CONTAINER_ERROR"
MISSING = "CONTAINER_MISSING"

#: Why an instance was started.
ROLLOUT = (
    "DEPLOYMENT_ROLLOUT - Instance started due to traffic shifting between revisions due to deployment, "
    "traffic split adjustment, or deployment health check."
)
AUTOSCALING = (
    "AUTOSCALING - Instance started due to configured scaling factors (e.g. CPU utilization, request "
    "throughput, etc.) or no existing capacity for current traffic."
)
MIN_INSTANCES = (
    "MANUAL_OR_CUSTOMER_MIN_INSTANCE - Instance started because of customer-configured min-instances or "
    "manual scaling."
)

_OUTCOMES = {
    "STARTUP": "The instance was not started.",
    "LIVENESS": "The instance has been shut down.",
    "READINESS": "The instance will not receive requests until the probe succeeds.",
}
_SIGNALLED = 128  # a code above is a signal's, and that much more than its number


def starting(reason: str) -> str:
    """An instance is about to start."""
    return f"Starting new instance. Reason: {reason}"


def ended(code: int) -> str:
    """A container ended by itself."""
    if code > _SIGNALLED and code - _SIGNALLED in set(signal.Signals):
        return f"Container terminated on signal {code - _SIGNALLED}."
    return f"Container called exit({code})."


def probe_failed(what: Literal["STARTUP", "LIVENESS", "READINESS"], probe: Probe, spec: RevisionSpec) -> str:
    """A probe failed as often as it may."""
    times = "1 time" if probe.failure_threshold == 1 else f"{probe.failure_threshold} times"
    return (
        f"{what} {probe.kind.upper()} probe failed {times} consecutively for container "
        f'"{_container(spec)}" {_where(probe)}. {_OUTCOMES[what]}'
    )


def probe_succeeded(probe: Probe, spec: RevisionSpec, attempts: int) -> str:
    """A startup probe succeeded."""
    default = "Default " if _asks_for_the_port(probe, spec) else ""
    times = f"{attempts} attempt{'' if attempts == 1 else 's'}"
    return (
        f"{default}STARTUP {probe.kind.upper()} probe succeeded after {times} for container "
        f'"{_container(spec)}" {_where(probe)}.'
    )


def not_started(probe: Probe, spec: RevisionSpec) -> DeployFailed:
    """A revision's first instance did not pass its startup probe."""
    if _asks_for_the_port(probe, spec):
        return DeployFailed(
            UNHEALTHY,
            "The user-provided container failed to start and listen on the port defined provided by the "
            f"PORT={spec.port} environment variable within the allocated timeout. This can happen when the "
            "container port is misconfigured or if the timeout is too short. The health check timeout can be "
            "extended. Logs for this revision might contain more information.",
        )
    return DeployFailed(
        UNHEALTHY,
        "The user-provided container failed the configured startup probe checks. Logs for this revision "
        "might contain more information.",
    )


def not_executable(error: Exception) -> DeployFailed:
    """The image has not got the command, or the machine can't run it."""
    return DeployFailed(UNHEALTHY, f"Application exec likely failed: {error}")


def not_set_up(error: Exception) -> DeployFailed:
    """The sandbox could not be made."""
    return DeployFailed(UNHEALTHY, f"The container failed to start: {error}")


def retired() -> DeployFailed:
    """The revision was taken back before it was ready."""
    return DeployFailed("RETIRED", "The revision was deleted before it became ready.")


def _asks_for_the_port(probe: Probe, spec: RevisionSpec) -> bool:
    """Whether a startup probe is the one that Cloud Run makes where a service says nothing."""
    return probe.kind == "tcp" and probe.port == spec.port and probe.failure_threshold == 1


def _container(spec: RevisionSpec) -> str:
    """The name that a container is given which has none: its image's."""
    name = spec.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return f"{name}-1"


def _where(probe: Probe) -> str:
    if probe.kind == "http":
        return f'on port {probe.port} path "{probe.path}"'
    if probe.kind == "grpc" and probe.service:
        return f'on port {probe.port} service "{probe.service}"'
    return f"on port {probe.port}"
