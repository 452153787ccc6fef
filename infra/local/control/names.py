"""Names: which projects, locations and ids there can be, and names that the server makes up."""

import base64
import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass

from infra.local.api.errors import denied, violation

_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]{1,19}")
_LOCATION = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?")
_ID_RULE = (
    "only lowercase, digits, and hyphens; must begin with letter, and cannot end with hyphen; "
    "must be less than 50 characters."
)
# As in Google's generated names: no vowels, so that no word comes out.
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Place:
    """A project and a location in it."""

    project: str
    location: str

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/{self.location}"


def place_of(name: str, *, wildcard: bool = False) -> Place:
    """Project and location of a resource's name; `wildcard` lets "-" stand for all locations.

    Raises ApiError, 403, as Google does for what does not exist or is somebody else's.
    """
    parts = name.split("/")
    project, location = parts[1], parts[3]
    check_project(project)
    if not _LOCATION.fullmatch(location) and not (wildcard and location == "-"):
        raise denied(
            f"Permission denied on 'locations/{location}' (or it may not exist).",
            "LOCATION_ACCESS_DENIED",
            {"service": "run.googleapis.com", "location": location},
        )
    return Place(project, location)


def check_project(project: str, service: str = "run.googleapis.com") -> None:
    """Raise ApiError, 403, unless `project` may be a project's id or number; `service` is who was asked."""
    if not _PROJECT.fullmatch(project):
        raise denied(
            f"Permission denied on resource project {project}.",
            "CONSUMER_INVALID",
            {"service": service, "consumer": f"projects/{project}"},
        )


def check_id(value: str, where: str) -> None:
    """Raise ApiError, 400, unless `value` may be the id of a service or a job."""
    if not _ID.fullmatch(value):
        raise violation(where, _ID_RULE)


def last(name: str) -> str:
    """The last segment: the id in a full name."""
    return name.rpartition("/")[2]


def project_number(project: str) -> str:
    """The number of a project, which is always the same for the same id: 12 digits."""
    if project.isdecimal():
        return project
    digest = hashlib.sha256(project.encode()).digest()
    return str(100_000_000_000 + int.from_bytes(digest[:8]) % 900_000_000_000)


def numbered(name: str) -> str:
    """A resource's name with its project's number in place of its id."""
    kind, *rest = name.split("/", 2)
    if kind != "projects" or not rest:
        return name
    return "/".join([kind, project_number(rest[0]), *rest[1:]])


def url_hash(place: Place) -> str:
    """The part of a service's host name that tells projects and regions apart: 10 letters and digits."""
    digest = hashlib.sha256(str(place).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:10]


def generated(owner: str, number: int) -> str:
    """A revision's name: "hello-00001-xyz"."""
    return f"{owner}-{number:05d}-{suffix(3)}"


def suffix(length: int) -> str:
    """Random letters and digits for the end of a name."""
    return "".join(secrets.choice(_SUFFIX) for _ in range(length))


def new_uid() -> str:
    """A resource's unique id."""
    return str(uuid.uuid4())


def new_etag() -> str:
    """A version's mark; it has quotes in it, as Google's do."""
    return f'"{base64.urlsafe_b64encode(secrets.token_bytes(12)).decode()}"'
