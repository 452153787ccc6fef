"""Names in a registry's paths: of an image, and of a version of it.

Grammar: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
"""

import hashlib
import re
from dataclasses import dataclass

from infra.local.registry.errors import RegistryError

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LOCATION_HOST = re.compile(r"([a-z][a-z0-9-]*)-docker\.pkg\.(?:dev|localhost)(?::\d+)?")
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class ImageName:
    """PROJECT/REPOSITORY/IMAGE, where the image may have slashes in it."""

    project: str
    repository: str
    image: str

    def __str__(self) -> str:
        return f"{self.project}/{self.repository}/{self.image}"


@dataclass(frozen=True, slots=True)
class Place:
    """An image in a repository, which is the full name of a resource of Artifact Registry."""

    repository: str
    image: str

    @property
    def folder(self) -> str:
        """A name for a folder of this place's own."""
        return hashlib.sha256(f"{self.repository}/{self.image}".encode()).hexdigest()[:32]


def parse_name(text: str) -> ImageName:
    """Parse what is between /v2/ and the verb. Raises RegistryError (NAME_INVALID)."""
    if not _NAME.fullmatch(text) or len(text) > _LONGEST:
        raise RegistryError("NAME_INVALID", f"invalid repository name {text[:_LONGEST]!r}")
    parts = text.split("/", 2)
    if len(parts) < 3:
        raise RegistryError("NAME_INVALID", f"{text!r} is not of the form PROJECT/REPOSITORY/IMAGE")
    return ImageName(*parts)


def is_digest(text: str) -> bool:
    """Whether a reference is a digest rather than a tag."""
    return ":" in text


def check_digest(text: str) -> str:
    """The digest. Raises RegistryError (DIGEST_INVALID) for another algorithm than SHA-256, or none."""
    if not _DIGEST.fullmatch(text):
        raise RegistryError("DIGEST_INVALID", f"{text[:_LONGEST]!r} is not sha256: and 64 hex digits")
    return text


def check_reference(text: str) -> str:
    """The tag or digest. Raises RegistryError."""
    if is_digest(text):
        return check_digest(text)
    if not _TAG.fullmatch(text):
        raise RegistryError("MANIFEST_INVALID", f"invalid tag {text[:_LONGEST]!r}")
    return text


def location_of(host: str) -> str:
    """The location that a host name says ("europe-west1-docker.pkg.dev"), "" for none."""
    found = _LOCATION_HOST.fullmatch(host)
    return found[1] if found else ""
