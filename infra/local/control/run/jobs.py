"""google.cloud.run.v2.Jobs: what runs to its end, and the starting of it."""

from typing import Any

from google.cloud import run_v2

from infra.local.api.definition import unwrap
from infra.local.api.errors import exists, precondition, violation
from infra.local.control.documented import output_only
from infra.local.control.iam import Policies
from infra.local.control.names import check_id, last, new_etag, new_uid, place_of, suffix
from infra.local.control.paging import list_page
from infra.local.control.run.conditions import PENDING, RECONCILING, SUCCEEDED, condition, now
from infra.local.control.run.defaults import fill_job
from infra.local.control.run.services import CREATOR, check_etag, missing
from infra.local.control.run.shelves import Shelves
from infra.local.control.run.violations import check_job


class Jobs(Policies):
    """The methods of the service."""

    def __init__(self, shelves: Shelves) -> None:
        super().__init__(shelves.store, self._find)
        self._shelves = shelves

    async def create_job(self, request: run_v2.CreateJobRequest) -> Any:
        """CreateJob."""
        place = place_of(request.parent)
        check_id(request.job_id, "CreateJobRequest.job_id")
        return self._create(
            f"{place}/jobs/{request.job_id}", request.job, "CreateJobRequest", dry=request.validate_only
        )

    async def get_job(self, request: run_v2.GetJobRequest) -> run_v2.Job:
        """GetJob."""
        return self._find(request.name)

    async def list_jobs(self, request: run_v2.ListJobsRequest) -> Any:
        """ListJobs."""
        place = place_of(request.parent, wildcard=True)
        return list_page(self._shelves.jobs, str(place), request, run_v2.ListJobsResponse)

    async def update_job(self, request: run_v2.UpdateJobRequest) -> Any:
        """UpdateJob: for the executions to come."""
        name = request.job.name
        current = self._shelves.jobs.get(name)
        if current is None:
            if not request.allow_missing:
                raise missing(name, "JOB")
            check_id(last(name), "UpdateJobRequest.job.name")
            return self._create(name, request.job, "UpdateJobRequest", dry=request.validate_only)
        check_etag(name, request.job.etag, current.etag)
        return self._save(_given(request.job, current), "UpdateJobRequest", dry=request.validate_only)

    async def delete_job(self, request: run_v2.DeleteJobRequest) -> Any:
        """DeleteJob: with its executions; those that run are cancelled."""
        job = self._find(request.name)
        check_etag(request.name, request.etag, job.etag)
        job.delete_time = now()
        if request.validate_only:
            return self._shelves.operations.immediate(job, keep=False)
        job.etag, job.reconciling = new_etag(), True
        with self._shelves.store.transaction():
            self._shelves.jobs.put(job)
            return self._shelves.operations.start("delete", job)

    async def run_job(self, request: run_v2.RunJobRequest) -> Any:
        """RunJob: a new execution, with the overrides; the operation is done when it has come to its end."""
        job = self._find(request.name)
        check_etag(request.name, request.etag, job.etag)
        if job.delete_time:
            raise precondition(f"Resource '{last(job.name)}' is being deleted.")
        execution = _execution(job)
        _override(execution, request.overrides)
        if request.validate_only:
            return self._shelves.operations.immediate(execution, keep=False)
        job.latest_created_execution = run_v2.ExecutionReference(
            name=execution.name,
            create_time=execution.create_time,
            completion_status=run_v2.ExecutionReference.CompletionStatus.EXECUTION_PENDING,
        )
        job.execution_count += 1
        with self._shelves.store.transaction():
            self._shelves.executions.put(execution)
            self._shelves.jobs.put(job)
            return self._shelves.operations.start("run", execution)

    def _create(self, name: str, given: run_v2.Job, request: str, *, dry: bool) -> Any:
        place_of(name)
        if self._shelves.jobs.get(name) is not None:
            raise exists(f"Resource '{last(name)}' already exists.", name)
        job = _given(given, run_v2.Job(name=name))
        job.uid, job.create_time, job.creator = new_uid(), now(), CREATOR
        return self._save(job, request, dry=dry)

    def _save(self, job: run_v2.Job, request: str, *, dry: bool) -> Any:
        check_job(job, request)
        fill_job(job, place_of(job.name))
        job.generation += 1
        job.observed_generation = job.generation
        job.etag, job.update_time, job.last_modifier = new_etag(), now(), CREATOR
        job.reconciling = False
        job.terminal_condition = condition("Ready", SUCCEEDED)
        job.conditions = [condition("ResourcesAvailable", SUCCEEDED)]
        with self._shelves.store.transaction():
            if not dry:
                self._shelves.jobs.put(job)
            return self._shelves.operations.immediate(job, keep=not dry)

    def _find(self, name: str) -> run_v2.Job:
        place_of(name)
        job = self._shelves.jobs.get(name)
        if job is None:
            raise missing(name, "JOB")
        return job


def _given(given: run_v2.Job, current: run_v2.Job) -> run_v2.Job:
    """A job as given, with what only the server sets from the current one."""
    job = run_v2.Job(given)
    raw, old = unwrap(job), unwrap(current)
    for field in (*output_only(run_v2.Job), "name"):
        raw.ClearField(field)
        descriptor = raw.DESCRIPTOR.fields_by_name[field]
        if descriptor.is_repeated or descriptor.message_type:
            if descriptor.is_repeated or old.HasField(field):
                getattr(raw, field).MergeFrom(getattr(old, field))
        else:
            setattr(raw, field, getattr(old, field))
    return job


def _execution(job: run_v2.Job) -> run_v2.Execution:
    template = job.template
    return run_v2.Execution(
        name=f"{job.name}/executions/{last(job.name)}-{suffix(5)}",
        uid=new_uid(),
        creator=CREATOR,
        generation=1,
        labels=dict(template.labels),
        annotations=dict(template.annotations),
        create_time=now(),
        update_time=now(),
        launch_stage=job.launch_stage,
        job=last(job.name),
        parallelism=template.parallelism,
        task_count=template.task_count,
        template=template.template,
        reconciling=True,
        conditions=[condition("Completed", RECONCILING), condition("Started", PENDING)],
        etag=new_etag(),
    )


def _override(execution: run_v2.Execution, overrides: run_v2.RunJobRequest.Overrides) -> None:
    where = "RunJobRequest.overrides"
    if not 0 <= overrides.task_count <= 10_000:
        raise violation(f"{where}.task_count", "must be between 1 and 10000.")
    execution.task_count = overrides.task_count or execution.task_count
    if overrides.timeout:
        execution.template.timeout = overrides.timeout
    containers = execution.template.containers
    for index, override in enumerate(overrides.container_overrides):
        chosen = [each for each in containers if override.name in {"", each.name}]
        if not chosen:
            raise violation(
                f"{where}.container_overrides[{index}].name", f"no container is named {override.name}."
            )
        if override.args or override.clear_args:
            chosen[0].args = list(override.args)
        for variable in override.env:
            for old in [each for each in chosen[0].env if each.name == variable.name]:
                chosen[0].env.remove(old)
            chosen[0].env.append(variable)
