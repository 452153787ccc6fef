"""google.cloud.run.v2.Services: what clients ask for, checked and stored; the reconciler does the rest."""

from typing import Any

from google.cloud import run_v2
from google.protobuf import field_mask_pb2

from infra.local.api.definition import unwrap
from infra.local.api.errors import ApiError, aborted, exhausted, exists, not_found, precondition, violation
from infra.local.control.documented import output_only
from infra.local.control.iam import Policies
from infra.local.control.names import check_id, generated, last, new_etag, new_uid, place_of
from infra.local.control.paging import list_page
from infra.local.control.run import addresses
from infra.local.control.run.conditions import RECONCILING, condition, now, put
from infra.local.control.run.defaults import fill_service, fill_template
from infra.local.control.run.shelves import Shelves
from infra.local.control.run.violations import check_mask, check_service

MAX_SERVICES = 1000
CREATOR = "local-user"


class Services(Policies):
    """The methods of the service; `port` is where the front proxy listens."""

    def __init__(self, shelves: Shelves, port: int) -> None:
        super().__init__(shelves.store, self._find)
        self._shelves = shelves
        self._port = port

    async def create_service(self, request: run_v2.CreateServiceRequest) -> Any:
        """CreateService."""
        place = place_of(request.parent)
        check_id(request.service_id, "CreateServiceRequest.service_id")
        name = f"{place}/services/{request.service_id}"
        return self._create(name, request.service, "CreateServiceRequest", dry=request.validate_only)

    async def get_service(self, request: run_v2.GetServiceRequest) -> run_v2.Service:
        """GetService."""
        return self._find(request.name)

    async def list_services(self, request: run_v2.ListServicesRequest) -> Any:
        """ListServices."""
        place = place_of(request.parent, wildcard=True)
        return list_page(self._shelves.services, str(place), request, run_v2.ListServicesResponse)

    async def update_service(self, request: run_v2.UpdateServiceRequest) -> Any:
        """UpdateService: a change of the template makes a new revision, other changes do not."""
        name = request.service.name
        current = self._shelves.services.get(name)
        if current is None:
            if not request.allow_missing:
                raise missing(name)
            check_id(last(name), "UpdateServiceRequest.service.name")
            return self._create(name, request.service, "UpdateServiceRequest", dry=request.validate_only)
        check_etag(name, request.service.etag, current.etag)
        if current.delete_time:
            raise precondition(f"Resource '{last(name)}' is being deleted.")
        wanted = merge(current, request.service, request.update_mask, "UpdateServiceRequest")
        check_service(wanted, "UpdateServiceRequest", last(name))
        fill_service(wanted)
        fill_template(wanted.template, place_of(name))
        if _user_part(wanted) == _user_part(current):
            return self._shelves.operations.immediate(current, keep=not request.validate_only)
        return self._save(wanted, current, dry=request.validate_only)

    async def delete_service(self, request: run_v2.DeleteServiceRequest) -> Any:
        """DeleteService: with all its revisions; an update that is under way is broken off."""
        service = self._find(request.name)
        check_etag(request.name, request.etag, service.etag)
        service.delete_time = now()
        if request.validate_only:
            return self._shelves.operations.immediate(service, keep=False)
        service.etag, service.reconciling = new_etag(), True
        with self._shelves.store.transaction():
            self._shelves.services.put(service)
            return self._shelves.operations.start("delete", service)

    def _create(self, name: str, given: run_v2.Service, request: str, *, dry: bool) -> Any:
        if self._shelves.services.get(name) is not None:
            raise exists(f"Resource '{last(name)}' already exists.", name)
        place = place_of(name)
        if self._shelves.services.count(str(place)) >= MAX_SERVICES:
            raise _too_many(place.location)
        service = run_v2.Service(given)
        for field in output_only(run_v2.Service):
            unwrap(service).ClearField(field)
        service.name = name
        check_service(service, request, last(name))
        fill_service(service)
        fill_template(service.template, place)
        service.uid, service.create_time = new_uid(), now()
        service.creator = CREATOR
        canonical, numbered = addresses.hosts(name)
        service.uri = addresses.url(canonical, self._port)
        service.urls = [addresses.url(numbered, self._port), service.uri]
        return self._save(service, None, dry=dry)

    def _save(self, service: run_v2.Service, current: run_v2.Service | None, *, dry: bool) -> Any:
        """Store a new version of a service with the revision that it needs, and start the work for both."""
        revision = None
        if current is None or template_of(service) != template_of(current):
            revision = self._revision(service)
        service.generation += 1
        service.etag, service.reconciling = new_etag(), True
        service.update_time, service.last_modifier = now(), CREATOR
        service.terminal_condition = condition("Ready", RECONCILING)
        for kind in ("RoutesReady", "ConfigurationsReady") if revision else ("RoutesReady",):
            put(service.conditions, condition(kind, RECONCILING))
        if dry:
            return self._shelves.operations.immediate(service, keep=False)
        with self._shelves.store.transaction():
            if revision is not None:
                revision.name = revision.name or self._generated(service)
                service.latest_created_revision = revision.name
                self._shelves.revisions.put(revision)
            self._shelves.services.put(service)
            return self._shelves.operations.start("apply", service, subject=revision.name if revision else "")

    def _generated(self, service: run_v2.Service) -> str:
        number = self._shelves.store.next(f"revision of {service.uid}")
        return f"{service.name}/revisions/{generated(last(service.name), number)}"

    def _revision(self, service: run_v2.Service) -> run_v2.Revision:
        """The revision that a service's template makes; without a name when the server is to choose it."""
        template = service.template
        name = f"{service.name}/revisions/{template.revision}" if template.revision else ""
        if name and self._shelves.revisions.get(name) is not None:
            raise exists(
                f"Revision named '{template.revision}' with different configuration already exists.", name
            )
        revision = run_v2.Revision()
        raw, source = unwrap(revision), unwrap(template)
        shared = {field.name for field in source.DESCRIPTOR.fields} & {
            field.name for field in raw.DESCRIPTOR.fields
        }
        for field, value in source.ListFields():
            if field.name in shared:
                if field.is_repeated or field.message_type:
                    getattr(raw, field.name).MergeFrom(value)
                else:
                    setattr(raw, field.name, value)
        revision.name, revision.service, revision.uid = name, last(service.name), new_uid()
        revision.generation, revision.launch_stage = 1, service.launch_stage
        revision.create_time = revision.update_time = now()
        revision.creator, revision.etag, revision.reconciling = CREATOR, new_etag(), True
        for kind in ("Ready", "ContainerReady", "ContainerHealthy", "ResourcesAvailable"):
            put(revision.conditions, condition(kind, RECONCILING))
        return revision

    def _find(self, name: str) -> run_v2.Service:
        place_of(name)
        service = self._shelves.services.get(name)
        if service is None:
            raise missing(name)
        return service


def missing(name: str, kind: str = "SERVICE") -> ApiError:
    """404 for a service or job, by its full name."""
    place = place_of(name)
    return not_found(
        f"Resource '{last(name)}' of kind '{kind}' in region '{place.location}' in project '{place.project}' "
        "does not exist."
    )


def check_etag(name: str, given: str, current: str) -> None:
    """Raise ApiError, 409, when a request was made for another version."""
    if given and given != current:
        raise aborted(
            f"Conflict for resource '{last(name)}': version '{given}' was specified but current version "
            f"is '{current}'."
        )


def merge(current: Any, given: Any, mask: field_mask_pb2.FieldMask, request: str) -> Any:
    """The current message with the fields of `mask` as given; without one, all that a client may set."""
    kind: Any = type(current)
    fixed = output_only(kind) | {"name", "etag"}
    paths = [path for path in mask.paths if path != "*"]
    if not paths:
        paths = [field.name for field in unwrap(current).DESCRIPTOR.fields]
    check_mask(paths, kind, request)
    chosen = field_mask_pb2.FieldMask(paths=[path for path in paths if path.partition(".")[0] not in fixed])
    wanted = kind(current)
    try:
        chosen.MergeMessage(
            unwrap(given), unwrap(wanted), replace_message_field=True, replace_repeated_field=True
        )
    except ValueError as error:
        raise violation(f"{request}.update_mask", str(error)) from error
    return wanted


def template_of(service: run_v2.Service) -> bytes:
    """A template as bytes, to tell two apart; labels and variables are in one order."""
    return bytes(unwrap(service.template).SerializeToString(deterministic=True))


def _user_part(service: run_v2.Service) -> bytes:
    raw = type(unwrap(service))()
    raw.CopyFrom(unwrap(service))
    for field in output_only(run_v2.Service) | {"name", "etag", "uri", "urls"}:
        raw.ClearField(field)
    return bytes(raw.SerializeToString(deterministic=True))


def _too_many(location: str) -> ApiError:
    return exhausted(
        f"Quota exceeded for total number of services in region {location}: at most {MAX_SERVICES}.",
        "RATE_LIMIT_EXCEEDED",
        {"service": "run.googleapis.com", "quota_limit_value": str(MAX_SERVICES)},
    )
