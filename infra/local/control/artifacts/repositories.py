"""google.devtools.artifactregistry.v1: repositories, and where they can be."""

import re
from typing import Any

from google.cloud import artifactregistry_v1 as library
from google.cloud.location import locations_pb2
from google.protobuf import field_mask_pb2

from infra.local.api.definition import unwrap
from infra.local.api.errors import ApiError, exists, invalid
from infra.local.control.artifacts.checks import check
from infra.local.control.artifacts.done import Done
from infra.local.control.artifacts.names import LOCATIONS, check_id, missing, place_of
from infra.local.control.artifacts.slices import cut, ordered
from infra.local.control.artifacts.times import now
from infra.local.control.documented import output_only
from infra.local.control.iam import Policies
from infra.local.control.names import check_project
from infra.local.registry import Registry
from infra.local.state import Shelf, Store

_NAME_FILTER = re.compile(r'name\s*=\s*"?(?P<pattern>[^"\s]+?)"?')
_FIXED = {"name", "format_", "kms_key_name", "mode"}


class Repositories(Policies):
    """The methods on repositories and their IAM policies."""

    def __init__(self, store: Store, shelf: Shelf[library.Repository], registry: Registry) -> None:
        super().__init__(store, self.find)
        self._shelf = shelf
        self._registry = registry
        self._done = Done(store)

    def find(self, name: str) -> library.Repository:
        """The repository of that full name. Raises ApiError, 404."""
        place_of(name)
        found = self._shelf.get(name)
        if found is None:
            raise missing()
        return found

    async def create_repository(self, request: library.CreateRepositoryRequest) -> Any:
        """CreateRepository."""
        place = place_of(request.parent)
        check_id(request.repository_id)
        name = f"{place}/repositories/{request.repository_id}"
        if self._shelf.get(name) is not None:
            raise exists("the repository already exists", name)
        made = library.Repository(request.repository)
        for field in output_only(library.Repository):
            unwrap(made).ClearField(field)
        made.name = name
        check(made)
        if made.mode == library.Repository.Mode.MODE_UNSPECIFIED:
            unwrap(made).mode = library.Repository.Mode.STANDARD_REPOSITORY
        made.create_time = made.update_time = now()
        self._shelf.put(made)
        return self._done(name, self._shown(made))

    async def get_repository(self, request: library.GetRepositoryRequest) -> library.Repository:
        """GetRepository."""
        return self._shown(self.find(request.name))

    async def list_repositories(self, request: library.ListRepositoriesRequest) -> Any:
        """ListRepositories; the filter is on the name, with * for any characters."""
        place = place_of(f"{request.parent}/repositories/-", wildcard=True)
        wanted = _pattern(request.filter)
        every = [each for each in self._shelf.all(str(place)) if wanted.fullmatch(each.name)]
        keys = {
            "name": lambda each: each.name,
            "create_time": lambda each: each.create_time,
            "update_time": lambda each: each.update_time,
        }
        every = ordered(every, request.order_by, keys)
        page, token = cut(every, lambda each: each.name, request.page_size, request.page_token)
        shown = [self._shown(each) for each in page]
        return library.ListRepositoriesResponse(repositories=shown, next_page_token=token)

    async def update_repository(self, request: library.UpdateRepositoryRequest) -> library.Repository:
        """UpdateRepository: of the fields in the mask, or of all that were given."""
        current = self.find(request.repository.name)
        given = unwrap(request.repository)
        paths = list(request.update_mask.paths)
        if paths in ([], ["*"]):
            paths = [field.name for field, _ in given.ListFields()] if not paths else _mutable()
        wanted = library.Repository(current)
        for path in paths:
            self._check_path(path, given, unwrap(current))
        chosen = field_mask_pb2.FieldMask(paths=[path for path in paths if _head(path) in set(_mutable())])
        chosen.MergeMessage(given, unwrap(wanted), replace_message_field=True, replace_repeated_field=True)
        check(wanted)
        wanted.update_time = now()
        self._shelf.put(wanted)
        return self._shown(wanted)

    async def delete_repository(self, request: library.DeleteRepositoryRequest) -> Any:
        """DeleteRepository: with all that is in it."""
        self.find(request.name)
        self._shelf.remove(request.name)
        self.forget(request.name)
        self._registry.remove_repository(request.name)
        return self._done(request.name)

    async def list_locations(self, request: Any) -> Any:
        """ListLocations."""
        check_project(request.name.split("/")[1], "artifactregistry.googleapis.com")
        names, token = cut(LOCATIONS, str, request.page_size, request.page_token)
        found = [_location(f"{request.name}/locations/{name}") for name in names]
        answer = locations_pb2.ListLocationsResponse(locations=found)  # pylint: disable=no-member  # made at run time
        answer.next_page_token = token
        return answer

    async def get_location(self, request: Any) -> Any:
        """GetLocation."""
        place = place_of(request.name)
        if place.location not in LOCATIONS:
            raise missing()
        return _location(request.name)

    def _shown(self, repository: library.Repository) -> library.Repository:
        """The repository with what is counted when it is asked for."""
        shown = library.Repository(repository)
        place = place_of(repository.name)
        records = self._registry.records
        shown.size_bytes = sum(
            stored.size for image in records.images(repository.name) for stored in records.manifests(image)
        )
        kind = library.Repository.Format(repository.format_).name.lower()
        shown.registry_uri = (
            f"{place.location}-{kind}.pkg.dev/{place.project}/{repository.name.rpartition('/')[2]}"
        )
        return shown

    @staticmethod
    def _check_path(path: str, given: Any, current: Any) -> None:
        # The field is called so in the API, and otherwise in Python, where it is a function's name.
        path = "format_" if path == "format" else path
        if not field_mask_pb2.FieldMask(paths=[path]).IsValidForDescriptor(given.DESCRIPTOR):
            raise _bad_mask(path)
        if path in _FIXED - {"name"} and getattr(given, path) not in {0, "", getattr(current, path)}:
            text = f"Field {path.rstrip('_')} is immutable and cannot be updated."
            raise invalid(text, [("update_mask", text)])


def _bad_mask(path: str) -> ApiError:
    text = f"Invalid field mask: unknown path {path[:80]!r}."
    return invalid(text, [("update_mask", text)])


def _head(path: str) -> str:
    return path.partition(".")[0]


def _mutable() -> list[str]:
    fields = [field.name for field in unwrap(library.Repository()).DESCRIPTOR.fields]
    return [name for name in fields if name not in _FIXED | output_only(library.Repository)]


def _pattern(text: str) -> re.Pattern[str]:
    if not text.strip():
        return re.compile(r".*", re.DOTALL)
    found = _NAME_FILTER.fullmatch(text.strip())
    if found is None:
        complaint = 'Invalid filter: only name="..." is supported, where * stands for any characters.'
        raise invalid(complaint, [("filter", complaint)])
    return re.compile(".*".join(re.escape(part) for part in found["pattern"].split("*")))


def _location(name: str) -> Any:
    place = place_of(name)
    labels = {"cloud.googleapis.com/region": place.location}
    location = locations_pb2.Location(name=name, labels=labels)  # pylint: disable=no-member  # made at run time
    location.location_id = place.location
    return location
