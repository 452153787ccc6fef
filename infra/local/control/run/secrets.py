"""The secrets that a revision or a task is given: read from Secret Manager when an instance is to start."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from google.cloud import run_v2

from infra.local.control.names import Place, project_number

# Reads projects/P/secrets/S/versions/V for a service account; raises SecretDenied.
Read = Callable[[str, str], bytes]


class SecretDenied(Exception):
    """The service account may not read a secret, or there is none of that name or version."""


@dataclass(frozen=True, slots=True)
class Given:
    """Secrets as environment variables by name, and as files by absolute path."""

    environment: dict[str, bytes]
    files: dict[str, bytes]


def read_secrets(
    containers: Sequence[run_v2.Container],
    volumes: Sequence[run_v2.Volume],
    place: Place,
    account: str,
    read: Read,
) -> Given:
    """All secrets of a template. Raises SecretDenied, whose text names every field that it is about."""
    environment, files = {}, {}
    denied = []
    for field, kind, target, name in _wanted(containers, volumes, place):
        try:
            value = read(name, account)
        except SecretDenied as error:
            denied.append(f"{field}: {error}")
            continue
        if kind == "env":
            environment[target] = value
        else:
            files[target] = value
    if denied:
        raise SecretDenied(" ".join(denied))
    return Given(environment, files)


def _wanted(
    containers: Sequence[run_v2.Container], volumes: Sequence[run_v2.Volume], place: Place
) -> Iterator[tuple[str, str, str, str]]:
    sources = {
        volume.name: (index, volume.secret) for index, volume in enumerate(volumes) if "secret" in volume
    }
    for at, container in enumerate(containers):
        for index, variable in enumerate(container.env):
            if "value_source" in variable:
                reference = variable.value_source.secret_key_ref
                field = f"spec.template.spec.containers[{at}].env[{index}].value_from.secret_key_ref.name"
                yield field, "env", variable.name, _version(reference.secret, reference.version, place)
        for mount in container.volume_mounts:
            if mount.name not in sources:
                continue
            index, secret = sources[mount.name]
            field = f"spec.template.spec.volumes[{index}].secret"
            folder = mount.mount_path.rstrip("/")
            short = secret.secret.rpartition("/")[2]
            for path, version in [(item.path, item.version) for item in secret.items] or [(short, "latest")]:
                yield field, "file", f"{folder}/{path}", _version(secret.secret, version, place)


def _version(secret: str, version: str, place: Place) -> str:
    name = secret if secret.startswith("projects/") else f"projects/{place.project}/secrets/{secret}"
    return f"{name}/versions/{version or 'latest'}"


def denied_text(version: str, account: str, project: str) -> str:
    """Google's words for a secret that the account may not read, which do not tell whether there is one."""
    numbered = version.replace(f"projects/{project}/", f"projects/{project_number(project)}/", 1)
    return (
        f"Permission denied on secret: {numbered} for Revision service account {account}. "
        "The service account used must be granted the 'Secret Manager Secret Accessor' role "
        "(roles/secretmanager.secretAccessor) at the secret, project or higher level."
    )
