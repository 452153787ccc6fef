"""A manifest or an index as it is pushed: is it one, and what does it need?

Specification: https://github.com/opencontainers/image-spec (manifest.md, image-index.md).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.registry.errors import RegistryError
from infra.local.registry.names import check_digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES = (OCI_INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
LONGEST = 4 << 20  # bytes, as the specification recommends


@dataclass(frozen=True, slots=True)
class Document:
    """What a manifest says: digests of the `blobs` and `manifests` that it needs, and the image it is about.

    `length` is its own, `size` that of it with what it needs, in bytes.
    """

    media_type: str
    digest: str
    length: int
    size: int
    blobs: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    subject: str = ""
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """Digests of all that it needs."""
        return self.blobs + self.manifests


def read(data: bytes, content_type: str = "") -> Document:
    """Check the bytes of a manifest. Raises RegistryError (MANIFEST_INVALID, DIGEST_INVALID)."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _invalid(f"the manifest is not JSON: {str(error)[:100]}") from error
    if not isinstance(value, dict) or value.get("schemaVersion") != 2:
        raise _invalid("the manifest is not a JSON object of schema version 2")
    own = value.get("mediaType")
    kind = content_type.partition(";")[0].strip().lower() or own or _guess(value)
    if own is not None and own != kind:
        raise _invalid(f"the manifest says that it is {own}, the request says {kind}")
    config: Any = {}
    if kind in INDEXES:
        blobs, manifests = [], _descriptors(value, "manifests")
    elif kind in _MANIFESTS:
        config = _descriptor(value.get("config"), "config")
        # What is to be had elsewhere need not be here.
        layers = [each for each in _descriptors(value, "layers") if not each.get("urls")]
        blobs, manifests = [config, *layers], []
    else:
        raise _invalid(f"unknown media type {kind!r}")
    subject = _descriptor(value["subject"], "subject") if value.get("subject") is not None else {}
    annotations = value.get("annotations") or {}
    if not isinstance(annotations, dict) or not all(isinstance(text, str) for text in annotations.values()):
        raise _invalid("the annotations are not a map of texts")
    return Document(
        kind,
        f"sha256:{hashlib.sha256(data).hexdigest()}",
        len(data),
        len(data) + sum(each["size"] for each in blobs + manifests),
        tuple(dict.fromkeys(each["digest"] for each in blobs)),
        tuple(dict.fromkeys(each["digest"] for each in manifests)),
        subject.get("digest", ""),
        str(value.get("artifactType") or config.get("mediaType") or ""),
        annotations,
    )


def _guess(value: Mapping[str, Any]) -> str:
    return OCI_INDEX if "manifests" in value else _MANIFESTS[0]


def _descriptors(value: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    listed = value.get(name)
    if not isinstance(listed, list):
        raise _invalid(f"the manifest has no list of {name}")
    return [_descriptor(each, name) for each in listed]


def _descriptor(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("digest"), str):
        raise _invalid(f"{name} is not a descriptor: it has no digest")
    check_digest(value["digest"])
    size = value.get("size")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 1 << 53:
        raise _invalid(f"{name} is not a descriptor: its size is {str(size)[:40]!r}")
    return value


def _invalid(message: str) -> RegistryError:
    return RegistryError("MANIFEST_INVALID", message)
