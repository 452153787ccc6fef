"""What a request may not say, in the words of Cloud Run: "Violation in CreateServiceRequest.service...: ...".

Rules are from the documentation of the API's fields, limits from https://cloud.google.com/run/quotas.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from google.cloud import run_v2

from infra.local.api.definition import unwrap
from infra.local.api.errors import invalid, violation
from infra.local.control.run.containers import Found, containers, present, volumes

MAX_TIMEOUT, MAX_TASK_TIMEOUT = 3600, 604_800
_TAG = re.compile(r"[a-z](?:[a-z0-9-]{0,44}[a-z0-9])?")
_LABEL_KEY = re.compile(r"(?:[a-z0-9A-Z.-]{1,253}/)?[a-z0-9A-Z](?:[\w.-]{0,61}[a-z0-9A-Z])?")
_LABEL_VALUE = re.compile(r"(?:[\w.-]{0,63})")
_RESERVED_DOMAINS = (
    "run.googleapis.com",
    "cloud.googleapis.com",
    "serving.knative.dev",
    "autoscaling.knative.dev",
)
_NAME_RULE = (
    "only lowercase, digits, and hyphens; must begin with letter, and cannot end with hyphen; "
    "must be less than {} characters."
)
_PREFIX_RULE = (
    "The revision name must be prefixed by the name of the enclosing Service or Configuration "
    "with a trailing -"
)
_REVISION_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


def refuse(where: str, found: Found) -> None:
    """Raise ApiError, 400, for the first of what was found in the message `where`."""
    for place, description in found:
        raise violation(f"{where}.{place}" if place else where, description)


def check_service(service: run_v2.Service, request: str, service_id: str) -> None:
    """Raise ApiError, 400, unless the service may be: `request` names the request message."""
    where = f"{request}.service"
    refuse(where, present(run_v2.Service, service, ("template",)))
    refuse(where, _labels(service.labels, "labels"))
    refuse(where, _labels(service.annotations, "annotations", values=False))
    if len(service.description) > 512:
        raise violation(f"{where}.description", "must be at most 512 characters.")
    refuse(where, _template(service.template, service_id))
    refuse(where, _service_scaling(service.scaling))
    refuse(where, _traffic(service.traffic, service_id))


def check_job(job: run_v2.Job, request: str) -> None:
    """Raise ApiError, 400, unless the job may be."""
    where = f"{request}.job"
    refuse(where, present(run_v2.Job, job, ("template",)))
    refuse(where, _labels(job.labels, "labels"))
    refuse(where, _labels(job.annotations, "annotations", values=False))
    execution = job.template
    if execution.task_count < 0 or execution.task_count > 10_000:
        raise violation(f"{where}.template.task_count", "must be between 1 and 10000.")
    if execution.parallelism < 0:
        raise violation(f"{where}.template.parallelism", "must not be negative.")
    task = execution.template
    refuse(where, containers(task.containers, "template.template", ports=False))
    refuse(where, volumes(task.volumes, task.containers, "template.template"))
    if task.max_retries < 0 or task.max_retries > 10:
        raise violation(f"{where}.template.template.max_retries", "must be between 0 and 10.")
    refuse(where, _seconds(task.timeout, "template.template.timeout", MAX_TASK_TIMEOUT))


def _labels(labels: Mapping[str, str], where: str, *, values: bool = True) -> Found:
    for key, value in labels.items():
        if key.partition("/")[0].endswith(_RESERVED_DOMAINS) and "/" in key:
            yield where, f"{key} is reserved: use the fields of the API instead."
        if not _LABEL_KEY.fullmatch(key):
            yield where, f"{key} is not a valid key."
        if values and not _LABEL_VALUE.fullmatch(value):
            yield where, f"{value} is not a valid value of {key}."


def _template(template: run_v2.RevisionTemplate, service_id: str) -> Found:
    at = "template"
    if template.revision and not template.revision.startswith(f"{service_id}-"):
        yield f"{at}.revision", _PREFIX_RULE
    elif template.revision and not _REVISION_NAME.fullmatch(template.revision):
        yield f"{at}.revision", _NAME_RULE.format(64)
    yield from _labels(template.labels, f"{at}.labels")
    yield from containers(template.containers, at, ports=True)
    yield from volumes(template.volumes, template.containers, at)
    yield from _seconds(template.timeout, f"{at}.timeout", MAX_TIMEOUT)
    if not 0 <= template.max_instance_request_concurrency <= 1000:
        yield f"{at}.max_instance_request_concurrency", "must be between 1 and 1000."
    scaling = template.scaling
    for field, value in (("min", scaling.min_instance_count), ("max", scaling.max_instance_count)):
        if not 0 <= value <= 1000:
            yield f"{at}.scaling.{field}_instance_count", "must be between 0 and 1000."
    if scaling.max_instance_count and scaling.min_instance_count > scaling.max_instance_count:
        yield f"{at}.scaling.min_instance_count", "must not be greater than max_instance_count."


def _service_scaling(scaling: run_v2.ServiceScaling) -> Found:
    for field in ("min_instance_count", "max_instance_count", "manual_instance_count"):
        if not 0 <= getattr(scaling, field) <= 1000:
            yield f"scaling.{field}", "must be between 0 and 1000."


def _seconds(duration: Any, at: str, most: int) -> Found:
    seconds = duration.total_seconds() if duration is not None else 0
    if not 0 <= seconds <= most:
        yield at, f"must be between 1 and {most} seconds."


def _traffic(targets: Sequence[run_v2.TrafficTarget], service_id: str) -> Found:
    latest = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
    tags: set[str] = set()
    for index, target in enumerate(targets):
        here = f"traffic[{index}]"
        if not 0 <= target.percent <= 100:
            yield f"{here}.percent", "must be between 0 and 100."
        if target.type_ == 0:
            yield f"{here}.type", "required field not present."
        if target.type_ == latest and target.revision:
            yield f"{here}.revision", "must be empty when the type is TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST."
        if target.type_ > latest and not target.revision:
            yield f"{here}.revision", "required field not present."
        if target.tag:
            if not _TAG.fullmatch(target.tag) or len(target.tag) + len(service_id) > 46:
                yield f"{here}.tag", _NAME_RULE.format("47 together with the service's name")
            if target.tag in tags:
                yield f"{here}.tag", f"duplicate tag {target.tag}."
            tags.add(target.tag)
    total = sum(target.percent for target in targets)
    if targets and total != 100:
        yield "traffic", f"percents of traffic targets must sum to 100, but they sum to {total}."


def check_mask(paths: Sequence[str], message: Any, request: str) -> None:
    """Raise ApiError, 400, for an update mask with a path that the message does not have."""
    for path in paths:
        descriptor = unwrap(message()).DESCRIPTOR
        for part in path.split("."):
            field = descriptor.fields_by_name.get(part) if descriptor is not None else None
            if field is None:
                text = f"Invalid field path '{path}' in update_mask of {request}."
                raise invalid(text, [("update_mask", text)])
            descriptor = field.message_type if not field.is_repeated else None
