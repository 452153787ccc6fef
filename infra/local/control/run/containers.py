"""What may not be said of containers, their probes, limits and volumes.

Limits: https://cloud.google.com/run/docs/configuring/services/memory-limits and .../healthchecks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.cloud import run_v2

from infra.local.api.definition import unwrap
from infra.local.api.errors import Violation
from infra.local.control.documented import required
from infra.local.control.run.quantity import cpu, memory

MIB = 1 << 20
_ENV = re.compile(r"[A-Za-z_.-][\w.-]*")
_PATH = re.compile(r"/[\x21-\x7e]*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_RESERVED_ENV = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
_RESERVED = (
    "The following reserved env names were provided: {}. These values are automatically set by the system."
)
_CPU_RULE = "Invalid value specified for container cpu. Must be equal to one of [.08-1], 1, 2, 4, 6, 8."
_MEMORY_RULE = "Invalid value specified for container memory. "
# Which memory goes with how much CPU: the most of each, and the least.
_MOST = ((1.0, 4096), (2.0, 8192), (4.0, 16_384), (6.0, 24_576), (8.0, 32_768))
_LEAST = {4.0: 2048, 6.0: 4096, 8.0: 4096}
_CPUS = (1.0, 2.0, 4.0, 6.0, 8.0)

Found = Iterator[Violation]


def containers(given: Sequence[run_v2.Container], at: str, *, ports: bool) -> Found:
    """What is wrong with the containers at a place in a message; `ports` says whether they may listen."""
    if not given:
        yield f"{at}.containers", "must contain at least one container."
    for index, container in enumerate(given):
        here = f"{at}.containers[{index}]"
        yield from ((f"{here}.{name}", text) for name, text in present(run_v2.Container, container))
        yield from _ports(container.ports, f"{here}.ports", allowed=ports)
        yield from _environment(container.env, here)
        yield from _resources(container.resources.limits, f"{here}.resources.limits")
        for name in ("startup_probe", "liveness_probe", "readiness_probe"):
            if name in container:
                yield from _probe(getattr(container, name), f"{here}.{name}", name)
    if len(given) > 1:
        yield f"{at}.containers", "the local cloud runs one container an instance, and no sidecars."


def _ports(ports: Sequence[run_v2.ContainerPort], at: str, *, allowed: bool) -> Found:
    if ports and not allowed:
        yield at, "ports are not supported for jobs."
    if len(ports) > 1:
        yield at, "ports should contain 0 or 1 port."
    for port in ports:
        if not 0 <= port.container_port <= 65_535:
            yield f"{at}[0].container_port", "must be between 1 and 65535."
        if port.name not in {"", "http1", "h2c"}:
            yield f"{at}[0].name", "must be http1 or h2c."


def _environment(variables: Sequence[run_v2.EnvVar], at: str) -> Found:
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        here = f"{at}.env[{index}]"
        yield from ((f"{here}.{name}", text) for name, text in present(run_v2.EnvVar, variable))
        if not _ENV.fullmatch(variable.name) or len(variable.name) > 32_768:
            yield (
                f"{here}.name",
                "must consist of letters, digits, '_', '-' and '.', and not begin with a digit.",
            )
        if variable.name in _RESERVED_ENV:
            yield f"{here}.name", _RESERVED.format(variable.name)
        if variable.name in seen:
            yield f"{here}.name", f"duplicate environment variable name {variable.name}."
        seen.add(variable.name)
        if "value_source" in variable and not variable.value_source.secret_key_ref.secret:
            yield f"{here}.value_source.secret_key_ref.secret", "required field not present."


def _resources(limits: Mapping[str, str], at: str) -> Found:
    for name in limits:
        if name not in {"cpu", "memory", "nvidia.com/gpu"}:
            yield at, f"{name} is not a supported resource: use cpu and memory."
    try:
        cores = cpu(limits.get("cpu", "1"))
    except ValueError as error:
        yield f"{at}.cpu", f"Invalid value specified for container cpu. {error}."
        return
    if not (0.08 <= cores < 1 or cores in _CPUS):
        yield f"{at}.cpu", _CPU_RULE
        return
    least = _LEAST.get(cores, 128)
    try:
        mebibytes = memory(limits.get("memory", f"{max(least, 512)}Mi")) / MIB
    except ValueError as error:
        yield f"{at}.memory", f"{_MEMORY_RULE}{error}."
        return
    most = min(most for limit, most in _MOST if cores <= limit)
    if not least <= mebibytes <= most:
        allowed = f"memory must be between {_gi(least)} and {_gi(most)} inclusive."
        yield f"{at}.memory", f"{_MEMORY_RULE}For {cores:g} CPU, {allowed}"


def _gi(mebibytes: int) -> str:
    return f"{mebibytes // 1024}Gi" if mebibytes % 1024 == 0 else f"{mebibytes}Mi"


def _probe(probe: run_v2.Probe, at: str, kind: str) -> Found:
    longest = 240 if kind == "startup_probe" else 3600
    limits = {"initial_delay_seconds": longest, "timeout_seconds": 3600, "period_seconds": longest}
    for field, most in limits.items():
        if not 0 <= getattr(probe, field) <= most:
            yield f"{at}.{field}", f"must be between 0 and {most}."
    if probe.timeout_seconds > (probe.period_seconds or 10):
        yield f"{at}.timeout_seconds", "must not be greater than period_seconds."
    if probe.failure_threshold < 0:
        yield f"{at}.failure_threshold", "must be at least 1."
    actions = [getattr(probe, name) for name in ("http_get", "tcp_socket", "grpc") if name in probe]
    if not actions:
        yield at, "exactly one of http_get, tcp_socket or grpc must be specified."
    if kind != "startup_probe" and "tcp_socket" in probe:
        yield f"{at}.tcp_socket", f"tcp_socket is not supported for a {kind}."
    if any(not 0 <= action.port <= 65_535 for action in actions):
        yield at, "port must be between 1 and 65535."
    if "http_get" in probe:
        yield from _http(probe.http_get, f"{at}.http_get")


def _http(action: run_v2.HTTPGetAction, at: str) -> Found:
    if action.path and not _PATH.fullmatch(action.path):
        yield f"{at}.path", "must begin with a slash and have no spaces."
    for header in action.http_headers:
        if not _HEADER.fullmatch(header.name) or not header.value.isprintable():
            yield f"{at}.http_headers", f"{header.name!r} is not a valid header."


def volumes(given: Sequence[run_v2.Volume], mounted_by: Sequence[run_v2.Container], at: str) -> Found:
    """What is wrong with the volumes at a place in a message, and with where containers mount them."""
    names = [volume.name for volume in given]
    for index, volume in enumerate(given):
        here = f"{at}.volumes[{index}]"
        yield from ((f"{here}.{name}", text) for name, text in present(run_v2.Volume, volume))
        if names.count(volume.name) > 1:
            yield f"{here}.name", f"duplicate volume name {volume.name}."
        if "secret" in volume:
            yield from _secret(volume.secret, f"{here}.secret")
    for index, container in enumerate(mounted_by):
        for number, mount in enumerate(container.volume_mounts):
            here = f"{at}.containers[{index}].volume_mounts[{number}]"
            yield from ((f"{here}.{name}", text) for name, text in present(run_v2.VolumeMount, mount))
            if mount.name and mount.name not in names:
                yield f"{here}.name", f"volume {mount.name} is not defined."
            if not mount.mount_path.startswith("/") or ".." in mount.mount_path.split("/"):
                yield f"{here}.mount_path", "must be an absolute path."


def _secret(secret: run_v2.SecretVolumeSource, at: str) -> Found:
    yield from ((f"{at}.{name}", text) for name, text in present(run_v2.SecretVolumeSource, secret))
    for item, entry in enumerate(secret.items):
        if entry.path.startswith("/") or ".." in entry.path.split("/") or not entry.path:
            yield f"{at}.items[{item}].path", "must be a relative path without '..'."


def present(message: Any, value: Any, extra: Sequence[str] = ()) -> Found:
    """Fields that the message class documents as required, or that are `extra`, and that `value` lacks."""
    raw = unwrap(value)
    for field in raw.DESCRIPTOR.fields:
        if field.name in required(message) or field.name in extra:
            there = raw.HasField(field.name) if field.has_presence else bool(getattr(raw, field.name))
            if not there:
                yield field.name, "required field not present."
