"""google.devtools.artifactregistry.v1: tags, which are names for versions."""

from typing import Any

from google.cloud import artifactregistry_v1 as library

from infra.local.api.errors import exists, invalid, precondition
from infra.local.control.artifacts.contents import Contents
from infra.local.control.artifacts.names import package_name
from infra.local.control.artifacts.slices import cut
from infra.local.registry.errors import RegistryError
from infra.local.registry.names import Place, check_reference
from infra.local.registry.records import Tag


class Tags:
    """The methods on tags."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    async def get_tag(self, request: library.GetTagRequest) -> library.Tag:
        """GetTag."""
        place, tag = self._contents.tag(request.name)
        return _tag_message(place, tag)

    async def list_tags(self, request: library.ListTagsRequest) -> Any:
        """ListTags; the filter is version="..." with a version's full name."""
        place = self._contents.place(request.parent)
        wanted = _version_filter(request.filter)
        every = [tag for tag in self._contents.records.tags(place) if wanted in {"", tag.digest}]
        page, token = cut(every, lambda each: each.name, request.page_size, request.page_token)
        return library.ListTagsResponse(
            tags=[_tag_message(place, tag) for tag in page], next_page_token=token
        )

    async def create_tag(self, request: library.CreateTagRequest) -> library.Tag:
        """CreateTag."""
        place = self._contents.place(request.parent)
        name = f"{package_name(place)}/tags/{request.tag_id}"
        if self._contents.records.tagged(place, request.tag_id) is not None:
            raise exists("the tag already exists", name)
        return self._put_tag(place, request.tag_id, request.tag.version)

    async def update_tag(self, request: library.UpdateTagRequest) -> library.Tag:
        """UpdateTag: it is another version's from now on."""
        place, tag = self._contents.tag(request.tag.name)
        if self._contents.find(place.repository).docker_config.immutable_tags:
            raise precondition(f"cannot update tag {tag.name}. The repository has enabled tag immutability")
        return self._put_tag(place, tag.name, request.tag.version)

    async def delete_tag(self, request: library.DeleteTagRequest) -> None:
        """DeleteTag: the version stays."""
        place, tag = self._contents.tag(request.name)
        if self._contents.find(place.repository).docker_config.immutable_tags:
            raise precondition(f"cannot delete tag {tag.name}. The repository has enabled tag immutability")
        self._contents.records.untag(place, tag.name)

    def _put_tag(self, place: Place, tag: str, version: str) -> library.Tag:
        owner, stored = self._contents.version(version) if "/versions/" in version else (place, None)
        if stored is None or owner != place:
            text = "The version of a tag must be a version of the same package."
            raise invalid(text, [("tag.version", text)])
        try:
            check_reference(tag)
        except RegistryError as error:
            raise invalid(error.message, [("tag_id", error.message)]) from error
        self._contents.records.tag(place, tag, stored.digest)
        return _tag_message(place, Tag(tag, stored.digest, 0))


def _tag_message(place: Place, tag: Tag) -> library.Tag:
    package = package_name(place)
    return library.Tag(name=f"{package}/tags/{tag.name}", version=f"{package}/versions/{tag.digest}")


def _version_filter(text: str) -> str:
    """The digest in version="projects/.../versions/sha256:...", "" for no filter."""
    if not text.strip():
        return ""
    name, equals, value = text.partition("=")
    if not equals or name.strip() != "version":
        complaint = 'Invalid filter: only version="..." is supported.'
        raise invalid(complaint, [("filter", complaint)])
    return value.strip().strip('"').rpartition("/")[2]
