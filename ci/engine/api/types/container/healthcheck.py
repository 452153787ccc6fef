"""``HealthcheckConfig``, and the fields of ``Container`` that set and show it."""

from __future__ import annotations

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.errors import EngineError
from ci.engine.graph.container import Container
from ci.engine.graph.serving.healthcheck import HealthCheck
from ci.engine.graph.texts import durations

serves_attributes("HealthcheckConfig", "shell", "retries")


@serves("Container")
def with_docker_healthcheck(
    _call: Call,
    parent: Container,
    *,
    args: list[str],
    shell: bool | None = None,
    interval: str | None = None,
    timeout: str | None = None,
    start_period: str | None = None,
    start_interval: str | None = None,
    retries: int | None = None,
) -> Container:
    """With a health check; a service counts as started once it succeeds."""
    if shell and len(args) != 1:
        raise EngineError("WithHealthcheck args must be a single element when shell mode is set")
    if not args:
        raise EngineError("WithHealthcheck args is missing")
    check = HealthCheck(
        tuple(args),
        bool(shell),
        interval=_length(interval),
        timeout=_length(timeout),
        start_period=_length(start_period),
        start_interval=_length(start_interval),
        retries=retries or 0,
    )
    return parent.with_config(healthcheck=check.to_json())


def _length(text: str | None) -> int:
    return 0 if text is None else durations.parsed(text)


@serves("Container")
def without_docker_healthcheck(_call: Call, parent: Container) -> Container:
    """Without a health check."""
    return parent.with_config(healthcheck=None)


@serves("Container")
def docker_healthcheck(_call: Call, parent: Container) -> HealthCheck | None:
    """The health check, null when there is none."""
    return HealthCheck.from_json(parent.config.healthcheck)


@serves("HealthcheckConfig", field="args")
def arguments(_call: Call, parent: HealthCheck) -> list[str]:
    """The command."""
    return list(parent.args)


@serves("HealthcheckConfig", field="interval")
def interval_between(_call: Call, parent: HealthCheck) -> str:
    """From one check to the next."""
    return durations.written(parent.interval)


@serves("HealthcheckConfig", field="timeout")
def time_allowed(_call: Call, parent: HealthCheck) -> str:
    """How long one check may take."""
    return durations.written(parent.timeout)


@serves("HealthcheckConfig", field="start_period")
def period_at_start(_call: Call, parent: HealthCheck) -> str:
    """For how long failures at the start do not count."""
    return durations.written(parent.start_period)


@serves("HealthcheckConfig", field="start_interval")
def interval_at_start(_call: Call, parent: HealthCheck) -> str:
    """From one check to the next while the container starts."""
    return durations.written(parent.start_interval)
