"""What a repository may be, in Google's words.

https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories
"""

import re
from collections.abc import Iterator

from google.cloud import artifactregistry_v1 as library

from infra.local.api.errors import Violation, invalid

MAX_LABELS = 64
MAX_DESCRIPTION = 1000
_KEY = re.compile(r"[a-z\u00df-\uffff][\w-]{0,62}")
_VALUE = re.compile(r"[\w-]{0,63}")
_POLICY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,126}[a-z0-9])?")


def check(repository: library.Repository) -> None:
    """Raise ApiError, 400, with all that is wrong."""
    found = list(_violations(repository))
    if found:
        raise invalid("; ".join(text for _, text in found), found)


def _violations(repository: library.Repository) -> Iterator[Violation]:
    if repository.format_ == library.Repository.Format.FORMAT_UNSPECIFIED:
        yield "repository.format", "Repository format must be specified."
    if len(repository.description) > MAX_DESCRIPTION:
        yield "repository.description", f"Description must be at most {MAX_DESCRIPTION} characters."
    if repository.docker_config.immutable_tags and repository.format_ != library.Repository.Format.DOCKER:
        yield "repository.docker_config", "DockerConfig is only supported for repositories of format DOCKER."
    labels = repository.labels
    if len(labels) > MAX_LABELS:
        yield "repository.labels", f"A resource can have at most {MAX_LABELS} labels."
    for key, value in labels.items():
        lower = key == key.lower() and value == value.lower()
        if not _KEY.fullmatch(key) or not _VALUE.fullmatch(value) or not lower:
            yield "repository.labels", f"Label {key[:80]!r} has a key or a value that is not allowed."
    for name, policy in repository.cleanup_policies.items():
        yield from _policy(name, policy)


def _policy(name: str, policy: library.CleanupPolicy) -> Iterator[Violation]:
    where = f"repository.cleanup_policies[{name}]"
    if policy.id and policy.id != name:
        yield where, f"Cleanup policy id {policy.id[:80]!r} does not match its key {name[:80]!r}."
    if not _POLICY.fullmatch(name):
        yield (
            where,
            f"Cleanup policy id {name[:80]!r} is invalid: use a-z, 0-9 and -.",
        )
    if policy.action == library.CleanupPolicy.Action.ACTION_UNSPECIFIED:
        yield where, f"Cleanup policy {name[:80]!r} must have an action."
    raw = library.CleanupPolicy.pb(policy)
    kind = raw.WhichOneof("condition_type")
    if kind is None:
        yield where, f"Cleanup policy {name[:80]!r} must have a condition or most_recent_versions."
    if kind == "most_recent_versions":
        if policy.action != library.CleanupPolicy.Action.KEEP:
            yield where, f"Cleanup policy {name[:80]!r} with most_recent_versions must have the action KEEP."
        if raw.most_recent_versions.keep_count < 0:
            yield where, f"Cleanup policy {name[:80]!r} must keep a positive number of versions."
