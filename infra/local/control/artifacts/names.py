"""Names in Artifact Registry: where a resource is, and the images in names of packages and versions.

A package's name has the slashes of the image in it as %2F, as Google's does.
"""

import re
from urllib.parse import quote, unquote

from infra.local.api.errors import ApiError, denied, invalid, not_found
from infra.local.control.names import Place, check_project
from infra.local.registry.names import Place as ImagePlace

HOST = "artifactregistry.googleapis.com"
_LOCATION = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}|asia|europe|us")
_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")

#: Where Artifact Registry is. https://cloud.google.com/artifact-registry/docs/repositories/repo-locations
LOCATIONS = (
    "africa-south1", "asia", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2",
    "asia-northeast3", "asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2",
    "australia-southeast1", "australia-southeast2", "europe", "europe-central2", "europe-north1",
    "europe-southwest1", "europe-west1", "europe-west10", "europe-west12", "europe-west2", "europe-west3",
    "europe-west4", "europe-west6", "europe-west8", "europe-west9", "me-central1", "me-west1",
    "northamerica-northeast1", "northamerica-northeast2", "southamerica-east1", "southamerica-west1",
    "us", "us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2",
    "us-west3", "us-west4",
)  # fmt: skip


def place_of(name: str, *, wildcard: bool = False) -> Place:
    """Project and location of a resource's name; `wildcard` lets "-" stand for all locations.

    Raises ApiError, 403, as Google does for what does not exist or is somebody else's.
    """
    _, project, _, location = name.split("/")[:4]
    check_project(project, HOST)
    if not _LOCATION.fullmatch(location) and not (wildcard and location == "-"):
        raise denied(
            f"Permission denied on 'locations/{location}' (or it may not exist).",
            "LOCATION_ACCESS_DENIED",
            {"service": HOST, "location": location},
        )
    return Place(project, location)


def check_id(value: str) -> None:
    """Raise ApiError, 400, unless `value` may be the id of a repository."""
    if not _ID.fullmatch(value):
        text = "Repository ID must match the regular expression ^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$."
        raise invalid(f'invalid value for field "repository_id": {text}', [("repository_id", text)])


def split(name: str, collection: str) -> tuple[str, str]:
    """A repository's name and the id in one of its collections, whose slashes are decoded."""
    above, _, rest = name.partition(f"/{collection}/")
    return above, unquote(rest)


def image_place(name: str) -> tuple[ImagePlace, str]:
    """The image of a package's name, and what the name goes on with ("versions/sha256:...")."""
    repository, _, rest = name.partition("/packages/")
    for collection in ("versions", "tags"):
        image, found, own = rest.rpartition(f"/{collection}/")
        if found:
            return ImagePlace(repository, unquote(image)), f"{collection}/{own}"
    return ImagePlace(repository, unquote(rest)), ""


def package_name(place: ImagePlace) -> str:
    """The name of the package that an image is."""
    return f"{place.repository}/packages/{quote(place.image, safe='')}"


def address(place: ImagePlace) -> str:
    """How an image is called outside: "europe-west1-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE"."""
    _, project, _, location, _, repository = place.repository.split("/")
    return f"{location}-docker.pkg.dev/{project}/{repository}/{place.image}"


def missing() -> ApiError:
    """404."""
    return not_found("Requested entity was not found.")
