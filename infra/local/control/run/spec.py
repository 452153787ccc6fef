"""Of a revision or a task to what the runtime runs: images, limits, probes and secrets made plain."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from google.cloud import run_v2

from infra.local.control.names import last, place_of
from infra.local.control.run.defaults import DEFAULT_PORT
from infra.local.control.run.quantity import cpu, memory
from infra.local.control.run.secrets import Given
from infra.local.runtime.contract import Probe, RevisionSpec


def revision_spec(revision: run_v2.Revision, given: Given, *, min_instances: int = 0) -> RevisionSpec:
    """What the runtime needs to know of a revision; `min_instances` is what its service asks for."""
    container = revision.containers[0]
    port = container.ports[0].container_port if container.ports else DEFAULT_PORT
    place = place_of(revision.name)
    return RevisionSpec(
        project=place.project,
        location=place.location,
        service=revision.service,
        name=last(revision.name),
        port=port,
        concurrency=revision.max_instance_request_concurrency or 80,
        timeout=_seconds(revision.timeout, 300),
        min_instances=max(revision.scaling.min_instance_count, min_instances),
        max_instances=revision.scaling.max_instance_count or 100,
        startup_probe=_probe(container, "startup_probe"),
        liveness_probe=_probe(container, "liveness_probe"),
        readiness_probe=_probe(container, "readiness_probe"),
        service_account=revision.service_account,
        labels=dict(revision.labels),
        empty_dirs=_empty_dirs(container, revision.volumes),
        **_container(container, given),
    )


def task_spec(task: run_v2.Task, given: Given, count: int) -> RevisionSpec:
    """The same for a job's task, which listens nowhere; `count` is how many tasks its execution has."""
    container = task.containers[0]
    place = place_of(task.name)
    run = {
        "CLOUD_RUN_JOB": last(task.job),
        "CLOUD_RUN_EXECUTION": last(task.execution),
        "CLOUD_RUN_TASK_INDEX": str(task.index),
        "CLOUD_RUN_TASK_ATTEMPT": str(task.retried),
        "CLOUD_RUN_TASK_COUNT": str(count),
    }
    return RevisionSpec(
        project=place.project,
        location=place.location,
        service=last(task.job),
        name=last(task.name),
        port=DEFAULT_PORT,
        concurrency=1,
        timeout=_seconds(task.timeout, 600),
        min_instances=0,
        max_instances=1,
        startup_probe=None,
        liveness_probe=None,
        service_account=task.service_account,
        labels=dict(task.labels),
        execution=last(task.execution),
        empty_dirs=_empty_dirs(container, task.volumes),
        **_container(container, given, run),
    )


def _container(
    container: run_v2.Container, given: Given, more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    limits = container.resources.limits
    plain = {variable.name: variable.value for variable in container.env if "value_source" not in variable}
    return {
        "image": container.image,
        "command": tuple(container.command),
        "args": tuple(container.args),
        "working_dir": container.working_dir,
        "env": {**plain, **(more or {})},
        "secret_env": given.environment,
        "files": given.files,
        "cpu": cpu(limits.get("cpu", "1")),
        "memory": memory(limits.get("memory", "512Mi")),
    }


def _empty_dirs(container: run_v2.Container, volumes: Sequence[run_v2.Volume]) -> dict[str, int]:
    """Where a container mounts volumes that are empty at first, and their sizes in bytes; 0 is any."""
    limits = {volume.name: volume.empty_dir.size_limit for volume in volumes if "empty_dir" in volume}
    return {
        mount.mount_path: memory(limits[mount.name]) if limits[mount.name] else 0
        for mount in container.volume_mounts
        if mount.name in limits
    }


def _probe(container: run_v2.Container, name: str) -> Probe | None:
    if name not in container:
        return None
    probe: run_v2.Probe = getattr(container, name)
    kind: Literal["http", "tcp", "grpc"] = "tcp"
    port, path, service = probe.tcp_socket.port, "/", ""
    headers: Sequence[run_v2.HTTPHeader] = ()
    if "http_get" in probe:
        kind, port, path = "http", probe.http_get.port, probe.http_get.path
        headers = probe.http_get.http_headers
    elif "grpc" in probe:
        kind, port, service = "grpc", probe.grpc.port, probe.grpc.service
    return Probe(
        kind=kind,
        port=port,
        path=path or "/",
        service=service,
        headers=tuple((header.name, header.value) for header in headers),
        initial_delay=probe.initial_delay_seconds,
        timeout=probe.timeout_seconds or 1,
        period=probe.period_seconds or 10,
        failure_threshold=probe.failure_threshold or 3,
    )


def _seconds(duration: Any, default: float) -> float:
    return float(duration.total_seconds()) if duration is not None else default
