"""Names of images, by the rules of Docker's "familiar" names.

Grammar: https://github.com/distribution/reference (reference.go).
"""

import re
from dataclasses import dataclass, replace

from ci.engine.images.errors import InvalidReference

DEFAULT_REGISTRY = "docker.io"
DEFAULT_TAG = "latest"
MAX_REPOSITORY = 255

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image's full name: `registry/repository`, and a tag, a digest, or both."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"

    @property
    def name(self) -> str:
        """Registry and repository, without tag or digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar(self) -> str:
        """The shortest form that means the same, as people type it: `python:3.11-slim`."""
        rest = str(self).removeprefix(self.name)
        for short in (self.repository.removeprefix("library/"), self.repository):
            if _split_registry(short) == (self.registry, self.repository):
                return short + rest
        return str(self)

    @property
    def selector(self) -> str:
        """What a registry is asked for: the digest when there is one, else the tag."""
        return self.digest or self.tag or DEFAULT_TAG

    def at(self, digest: str) -> "Reference":
        """The same name, pinned to `digest`."""
        return replace(self, digest=digest)


def parse_reference(text: str) -> Reference:
    """Parse what people write as an image's name. Raises InvalidReference.

    A name without a registry is one of Docker Hub's, one without a slash is in its `library`,
    and one without tag and digest means `latest`.
    """
    name, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise _invalid(text, f"its digest {digest!r} is not sha256: and 64 hex digits")
    tag = None
    # A colon before the last slash belongs to the registry's port.
    if ":" in name.rpartition("/")[2]:
        name, _, tag = name.rpartition(":")
        if not _TAG.fullmatch(tag):
            raise _invalid(
                text, f"its tag {tag!r} has characters other than letters, digits, '_', '.' and '-'"
            )
    registry, repository = _split_registry(name)
    if not _REGISTRY.fullmatch(registry):
        raise _invalid(text, f"its registry {registry!r} is not a host name with an optional port")
    if not _REPOSITORY.fullmatch(repository):
        shown = repository.removeprefix("library/")
        if repository != repository.lower():
            raise InvalidReference(f"invalid reference format: repository name ({shown}) must be lowercase")
        raise _invalid(
            text, f"its repository {shown!r} is not allowed; write NAME, NAME:TAG or HOST/NAME:TAG"
        )
    if len(repository) > MAX_REPOSITORY:
        raise _invalid(text, f"its repository is longer than {MAX_REPOSITORY} characters")
    if tag is None and not digest:
        tag = DEFAULT_TAG
    return Reference(registry, repository, tag, digest or None)


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_host = slash and (
        any(mark in first for mark in ".:") or first == "localhost" or first != first.lower()
    )
    if not is_host:
        first, rest = DEFAULT_REGISTRY, name
    if first in (DEFAULT_REGISTRY, "index.docker.io"):
        first = DEFAULT_REGISTRY
        if "/" not in rest:
            rest = f"library/{rest}"
    return first, rest


def _invalid(text: str, why: str) -> InvalidReference:
    return InvalidReference(f"invalid reference format: {text!r} is not the name of an image: {why}")
