"""google.cloud.run.v2.Revisions: what a service was, at each of its changes."""

from typing import Any

from google.cloud import run_v2

from infra.local.api.errors import ApiError, not_found, precondition
from infra.local.control.names import last, new_etag, place_of
from infra.local.control.paging import list_page
from infra.local.control.run.conditions import now
from infra.local.control.run.services import check_etag, missing
from infra.local.control.run.shelves import Shelves
from infra.local.state.store import parent


class Revisions:
    """The methods of the service."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    async def get_revision(self, request: run_v2.GetRevisionRequest) -> run_v2.Revision:
        """GetRevision."""
        return self._find(request.name)

    async def list_revisions(self, request: run_v2.ListRevisionsRequest) -> Any:
        """ListRevisions: newest first; "-" as service means those of all services."""
        place = place_of(request.parent, wildcard=True)
        shelf = self._shelves.revisions
        if (
            last(request.parent) != "-"
            and place.location != "-"
            and self._shelves.services.get(request.parent) is None
        ):
            raise missing(request.parent)
        return list_page(shelf, request.parent, request, run_v2.ListRevisionsResponse, newest_first=True)

    async def delete_revision(self, request: run_v2.DeleteRevisionRequest) -> Any:
        """DeleteRevision: not of one that has traffic, nor of the latest one."""
        revision = self._find(request.name)
        check_etag(request.name, request.etag, revision.etag)
        service = self._shelves.services.get(parent(request.name))
        short = last(request.name)
        if service is not None:
            if request.name in {service.latest_created_revision, service.latest_ready_revision}:
                raise precondition(
                    f"Revision '{short}' is the latest revision of its service and cannot be deleted."
                )
            wanted = {target.revision for target in service.traffic}
            if short in wanted | {status.revision for status in service.traffic_statuses}:
                raise precondition(
                    f"Revision '{short}' is receiving traffic or has a tag and cannot be deleted."
                )
        revision.delete_time = now()
        if request.validate_only:
            return self._shelves.operations.immediate(revision, keep=False)
        revision.etag, revision.reconciling = new_etag(), True
        with self._shelves.store.transaction():
            self._shelves.revisions.put(revision)
            return self._shelves.operations.start("delete", revision)

    def _find(self, name: str) -> run_v2.Revision:
        place_of(name)
        revision = self._shelves.revisions.get(name)
        if revision is None:
            raise _missing(name)
        return revision


def _missing(name: str) -> ApiError:
    place = place_of(name)
    return not_found(
        f"Resource '{last(name)}' of kind 'REVISION' in region '{place.location}' "
        f"in project '{place.project}' does not exist."
    )
