"""Runs executions: tasks side by side, each again when it fails, all stopped when it is cancelled."""

from dataclasses import dataclass
from typing import Any

import anyio
from google.cloud import run_v2

from infra.local.api.errors import ApiError
from infra.local.control.iam import forget_policy
from infra.local.control.names import last, new_etag, new_uid, place_of
from infra.local.control.operations import Work
from infra.local.control.run.conditions import (
    FAILED,
    PENDING,
    RECONCILING,
    SUCCEEDED,
    condition,
    now,
    put,
    succeeded,
)
from infra.local.control.run.secrets import Read, SecretDenied, read_secrets
from infra.local.control.run.shelves import Shelves
from infra.local.control.run.spec import task_spec
from infra.local.runtime.contract import DeployFailed, Fleet, Log
from infra.local.state.store import parent

_AT_ONCE = 10
_EXITED = "The container exited with an error."
Completion = run_v2.ExecutionReference.CompletionStatus


@dataclass(frozen=True, slots=True)
class _Run:
    scope: anyio.CancelScope
    ended: anyio.Event


class Batch:
    """Runs executions on a fleet; what tasks print goes to `log`."""

    def __init__(self, shelves: Shelves, fleet: Fleet, read: Read, log: Log) -> None:
        self._shelves = shelves
        self._fleet = fleet
        self._read = read
        self._log = log
        self._running: dict[str, _Run] = {}

    async def run(self, work: Work) -> None:
        """Run the tasks of an execution that are not done, and end its operation."""
        execution = self._shelves.executions.get(work.target)
        if execution is None:
            raise ApiError("NOT_FOUND", f"Execution '{last(work.target)}' was deleted.")
        tasks = self._tasks(execution)
        execution.start_time = execution.start_time or now()
        put(execution.conditions, condition("Started", SUCCEEDED))
        self._count(execution)
        limit = anyio.CapacityLimiter(execution.parallelism or _AT_ONCE)
        run = self._running[execution.name] = _Run(anyio.CancelScope(), anyio.Event())
        try:
            with run.scope:
                async with anyio.create_task_group() as group:
                    for task in tasks:
                        if not task.completion_time:
                            group.start_soon(self._task, execution, task, limit)
            if run.scope.cancelled_caught:
                self._cancelled(execution)
            self._end(execution, work, cancelled=run.scope.cancelled_caught)
        finally:
            del self._running[execution.name]
            run.ended.set()

    async def cancel(self, work: Work) -> None:
        """Stop an execution that runs."""
        if work.target in self._running:
            run = self._running[work.target]
            run.scope.cancel()
            await run.ended.wait()
        execution = self._shelves.executions.get(work.target)
        if execution is None:
            raise ApiError("NOT_FOUND", f"Execution '{last(work.target)}' was deleted.")
        self._shelves.operations.finish(work, execution)

    async def delete(self, work: Work) -> None:
        """Forget an execution, or a job with all of its executions."""
        for name in [
            name for name in self._running if name == work.target or name.startswith(f"{work.target}/")
        ]:
            self._running[name].scope.cancel()
        shelf: Any = self._shelves.jobs if "/executions/" not in work.target else self._shelves.executions
        with self._shelves.store.transaction():
            resource = shelf.get(work.target)
            shelf.remove(work.target)
            self._shelves.executions.remove_under(work.target)
            self._shelves.tasks.remove_under(work.target)
            forget_policy(self._shelves.store, work.target)
            if resource is not None:
                resource.reconciling = False
                self._shelves.operations.finish(work, resource)

    def _tasks(self, execution: run_v2.Execution) -> list[run_v2.Task]:
        """The tasks of an execution; made when it starts, found again after a restart."""
        known = list(self._shelves.tasks.all(execution.name))
        with self._shelves.store.transaction():
            for index in range(len(known), execution.task_count):
                task = _new_task(execution, index)
                self._shelves.tasks.put(task)
                known.append(task)
        return known

    async def _task(
        self, execution: run_v2.Execution, task: run_v2.Task, limit: anyio.CapacityLimiter
    ) -> None:
        async with limit:
            task.start_time = now()
            put(task.conditions, condition("Started", SUCCEEDED))
            put(task.conditions, condition("Completed", RECONCILING))
            self._shelves.tasks.put(task)
            while True:
                failure, code = await self._attempt(execution, task)
                task.last_attempt_result = run_v2.TaskAttemptResult(exit_code=code)
                if not failure or task.retried >= task.max_retries:
                    break
                task.retried += 1
                execution.retried_count += 1
        state, reason = (FAILED, "NON_ZERO_EXIT_CODE") if failure else (SUCCEEDED, "")
        text = f"Task {last(task.name)} failed with message: {failure}" if failure else ""
        put(task.conditions, condition("Completed", state, text, reason))
        task.completion_time = task.update_time = now()
        task.observed_generation, task.reconciling = task.generation, False
        with self._shelves.store.transaction():
            self._shelves.tasks.put(task)
            self._count(execution)

    async def _attempt(self, execution: run_v2.Execution, task: run_v2.Task) -> tuple[str, int]:
        """One run of a task: what went wrong ("" if nothing), and the exit code."""
        place = place_of(task.name)
        try:
            given = read_secrets(task.containers, task.volumes, place, task.service_account, self._read)
            spec = task_spec(task, given, execution.task_count)
            with anyio.move_on_after(spec.timeout) as patience:
                code = await self._fleet.run_task(spec, on_log=self._log)
                return (_EXITED if code else ""), code
        except SecretDenied as error:
            return str(error), 0
        except DeployFailed as error:
            return error.message, 0
        if not patience.cancelled_caught:
            raise RuntimeError("a task that was not timed out has no result")
        return "The configured timeout was reached.", 0

    def _count(self, execution: run_v2.Execution) -> None:
        tasks = list(self._shelves.tasks.all(execution.name))
        done = [task for task in tasks if task.completion_time]
        execution.succeeded_count = sum(succeeded(task.conditions, "Completed") for task in done)
        execution.failed_count = len(done) - execution.succeeded_count
        execution.running_count = sum(1 for task in tasks if task.start_time and not task.completion_time)
        execution.update_time = now()
        if self._shelves.executions.get(execution.name) is not None:
            self._shelves.executions.put(execution)

    def _cancelled(self, execution: run_v2.Execution) -> None:
        with self._shelves.store.transaction():
            for task in self._shelves.tasks.all(execution.name):
                if not task.completion_time:
                    put(task.conditions, condition("Completed", FAILED, "Task was cancelled.", "CANCELLED"))
                    task.completion_time, task.reconciling = now(), False
                    self._shelves.tasks.put(task)
                    execution.cancelled_count += 1

    def _end(self, execution: run_v2.Execution, work: Work, *, cancelled: bool) -> None:
        failed = [
            each
            for task in self._shelves.tasks.all(execution.name)
            for each in task.conditions
            if each.type_ == "Completed" and each.state == FAILED
        ]
        execution.running_count = 0
        execution.completion_time = execution.update_time = now()
        execution.reconciling, execution.observed_generation = False, execution.generation
        execution.failed_count = execution.task_count - execution.succeeded_count - execution.cancelled_count
        end, text, reason = Completion.EXECUTION_SUCCEEDED, "", ""
        if cancelled:
            end, text, reason = Completion.EXECUTION_CANCELLED, "Execution was cancelled.", "CANCELLED"
        elif failed:
            end, text, reason = Completion.EXECUTION_FAILED, failed[0].message, "NON_ZERO_EXIT_CODE"
        put(execution.conditions, condition("Completed", FAILED if text else SUCCEEDED, text, reason))
        with self._shelves.store.transaction():
            if self._shelves.executions.get(execution.name) is not None:
                self._shelves.executions.put(execution)
            self._complete(execution, end)
            if failed and not cancelled:
                self._shelves.operations.fail(work, ApiError("INTERNAL", text))
            else:
                self._shelves.operations.finish(work, execution)

    def _complete(self, execution: run_v2.Execution, status: int) -> None:
        job = self._shelves.jobs.get(parent(execution.name))
        if job is not None and job.latest_created_execution.name == execution.name:
            job.latest_created_execution.completion_time = execution.completion_time
            job.latest_created_execution.completion_status = Completion(status)
            self._shelves.jobs.put(job)


def _new_task(execution: run_v2.Execution, index: int) -> run_v2.Task:
    template = execution.template
    return run_v2.Task(
        name=f"{execution.name}/tasks/{last(execution.name)}-task{index}",
        uid=new_uid(),
        generation=1,
        labels=dict(execution.labels),
        annotations=dict(execution.annotations),
        create_time=now(),
        scheduled_time=now(),
        update_time=now(),
        job=execution.job,
        execution=last(execution.name),
        containers=list(template.containers),
        volumes=list(template.volumes),
        max_retries=template.max_retries,
        timeout=template.timeout,
        service_account=template.service_account,
        execution_environment=template.execution_environment,
        index=index,
        reconciling=True,
        conditions=[condition("Completed", PENDING), condition("Started", PENDING)],
        etag=new_etag(),
    )
