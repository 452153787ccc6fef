"""The one image type: what layouts, archives, registries and the bootstrap read and write."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci.engine.images.errors import BrokenImage

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"


@dataclass(frozen=True, slots=True)
class Layer:
    """One file-system change set; its bytes are the blob `digest`.

    `digest` is that of the (compressed) blob, `diff_id` that of the plain tar; `size` is the blob's, in
    bytes.
    """

    digest: str
    diff_id: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class ImageConfig:  # pylint: disable=too-many-instance-attributes  # OCI's members
    """How to run an image, as in OCI's image configuration; members not modelled here are kept as they came.

    `env` entries are "NAME=value", `exposed_ports` "8000/tcp"; `created` is RFC 3339 text.
    """

    user: str = ""
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    workdir: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    healthcheck: Mapping[str, Any] | None = field(default=None, hash=False)
    onbuild: tuple[str, ...] = ()
    created: str | None = None
    history: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    unknown: Mapping[str, Any] = field(default_factory=dict, hash=False)
    unknown_run: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_json(cls, document: bytes | Mapping[str, Any]) -> "ImageConfig":
        """Read an OCI or Docker image configuration. Raises BrokenImage."""
        whole = (
            dict(document) if isinstance(document, Mapping) else read_json(document, "image configuration")
        )
        run = dict(whole.pop("config", None) or {})
        for name in _OWNED_ELSEWHERE:
            whole.pop(name, None)
        try:
            return cls(
                user=run.pop("User", None) or "",
                env=tuple(run.pop("Env", None) or ()),
                entrypoint=_optional(run.pop("Entrypoint", None)),
                cmd=_optional(run.pop("Cmd", None)),
                workdir=run.pop("WorkingDir", None) or "",
                labels=tuple(sorted((run.pop("Labels", None) or {}).items())),
                exposed_ports=tuple(sorted(run.pop("ExposedPorts", None) or ())),
                volumes=tuple(sorted(run.pop("Volumes", None) or ())),
                stop_signal=run.pop("StopSignal", None) or "",
                healthcheck=run.pop("Healthcheck", None),
                onbuild=tuple(run.pop("OnBuild", None) or ()),
                created=whole.pop("created", None),
                history=tuple(whole.pop("history", None) or ()),
                unknown=whole,
                unknown_run=run,
            )
        except (TypeError, AttributeError) as error:
            raise BrokenImage(f"the image configuration has members of the wrong type ({error})") from error

    def to_json(self, platform: str, diff_ids: Sequence[str]) -> bytes:
        """The OCI image configuration for these layers; the same values give the same bytes."""
        run = {
            **self.unknown_run,
            "User": self.user,
            "Env": list(self.env),
            "Entrypoint": self.entrypoint and list(self.entrypoint),
            "Cmd": self.cmd and list(self.cmd),
            "WorkingDir": self.workdir,
            "Labels": dict(self.labels),
            "ExposedPorts": {port: {} for port in self.exposed_ports},
            "Volumes": {volume: {} for volume in self.volumes},
            "StopSignal": self.stop_signal,
            "Healthcheck": self.healthcheck,
            "OnBuild": list(self.onbuild),
        }
        whole = {
            **self.unknown,
            **platform_members(platform),
            "created": self.created,
            "config": {name: value for name, value in run.items() if value or name in self.unknown_run},
            "history": self._history(len(diff_ids)),
            "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
        }
        return write_json({name: value for name, value in whole.items() if value not in (None, [], ())})

    def _history(self, layers: int) -> list[Mapping[str, Any]]:
        # Tools refuse a history that does not have one entry for each layer.
        made = sum(not entry.get("empty_layer") for entry in self.history)
        if not self.history or made > layers:
            return []
        return [*self.history, *({"created_by": "layer"} for _ in range(layers - made))]


_OWNED_ELSEWHERE = ("architecture", "os", "variant", "rootfs")


@dataclass(frozen=True, slots=True)
class Image:
    """A container image for one platform ("linux/amd64"), bottom layer first.

    `digest` is that of the manifest it came with, None for an image that has not been written anywhere yet.
    """

    config: ImageConfig
    layers: tuple[Layer, ...]
    platform: str = "linux/amd64"
    annotations: tuple[tuple[str, str], ...] = ()
    digest: str | None = None


def platform_members(platform: str) -> dict[str, str]:
    """The `os`, `architecture` and `variant` of "linux/arm64/v8"."""
    return dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))


def platform_of(members: Mapping[str, Any]) -> str:
    """The platform that a configuration or an index entry states."""
    parts = (members.get("os") or "linux", members.get("architecture") or "amd64", members.get("variant"))
    return "/".join(str(part) for part in parts if part)


def same_platform(one: str, other: str) -> bool:
    """Whether two platforms are the same; a variant counts only when both name one."""
    ours, theirs = one.split("/"), other.split("/")
    return all(a == b for a, b in zip(ours, theirs, strict=False))


def write_json(value: object) -> bytes:
    """Canonical JSON: sorted members, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_json(data: bytes, what: str) -> dict[str, Any]:
    """Parse a JSON object. Raises BrokenImage, which names `what`."""
    try:
        value = json.loads(data)
    except ValueError as error:
        raise BrokenImage(f"the {what} is not JSON ({error}): pull or write the image again") from error
    except RecursionError:
        raise BrokenImage(f"the {what} is nested without end: do not use this image") from None
    if not isinstance(value, dict):
        raise BrokenImage(f"the {what} is not a JSON object: pull or write the image again")
    return value


def _optional(value: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(value) if value else None
