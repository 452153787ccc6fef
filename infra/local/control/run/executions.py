"""google.cloud.run.v2.Executions and Tasks: runs of a job, and their parts."""

from typing import Any

from google.cloud import run_v2

from infra.local.api.errors import ApiError, not_found, precondition
from infra.local.control.names import last, new_etag, place_of
from infra.local.control.paging import list_page
from infra.local.control.run.conditions import now
from infra.local.control.run.services import check_etag, missing
from infra.local.control.run.shelves import Shelves


class Executions:
    """The methods of the service of executions."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    async def get_execution(self, request: run_v2.GetExecutionRequest) -> run_v2.Execution:
        """GetExecution."""
        return self._find(request.name)

    async def list_executions(self, request: run_v2.ListExecutionsRequest) -> Any:
        """ListExecutions: newest first; "-" as job means those of all jobs."""
        place = place_of(request.parent, wildcard=True)
        if (
            last(request.parent) != "-"
            and place.location != "-"
            and self._shelves.jobs.get(request.parent) is None
        ):
            raise missing(request.parent, "JOB")
        shelf = self._shelves.executions
        return list_page(shelf, request.parent, request, run_v2.ListExecutionsResponse, newest_first=True)

    async def cancel_execution(self, request: run_v2.CancelExecutionRequest) -> Any:
        """CancelExecution: stops its tasks."""
        execution = self._find(request.name)
        check_etag(request.name, request.etag, execution.etag)
        if execution.completion_time:
            raise precondition(
                f"Execution '{last(request.name)}' has already completed and cannot be cancelled."
            )
        return self._start("cancel", execution, dry=request.validate_only)

    async def delete_execution(self, request: run_v2.DeleteExecutionRequest) -> Any:
        """DeleteExecution: one that runs is cancelled first."""
        execution = self._find(request.name)
        check_etag(request.name, request.etag, execution.etag)
        execution.delete_time = now()
        return self._start("delete", execution, dry=request.validate_only)

    def _start(self, action: str, execution: run_v2.Execution, *, dry: bool) -> Any:
        if dry:
            return self._shelves.operations.immediate(execution, keep=False)
        # Cancelling does not wait for the run that it is to end.
        queue = f"{execution.name}:cancel" if action == "cancel" else execution.name
        execution.etag = new_etag()
        with self._shelves.store.transaction():
            self._shelves.executions.put(execution)
            return self._shelves.operations.start(action, execution, queue=queue)

    def _find(self, name: str) -> run_v2.Execution:
        place_of(name)
        execution = self._shelves.executions.get(name)
        if execution is None:
            raise _missing(name, "EXECUTION")
        return execution


class Tasks:
    """The methods of the service of tasks."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    async def get_task(self, request: run_v2.GetTaskRequest) -> run_v2.Task:
        """GetTask."""
        place_of(request.name)
        task = self._shelves.tasks.get(request.name)
        if task is None:
            raise _missing(request.name, "TASK")
        return task

    async def list_tasks(self, request: run_v2.ListTasksRequest) -> Any:
        """ListTasks: by index; "-" as execution means those of all executions."""
        place_of(request.parent, wildcard=True)
        if "-" not in request.parent.split("/") and self._shelves.executions.get(request.parent) is None:
            raise _missing(request.parent, "EXECUTION")
        return list_page(self._shelves.tasks, request.parent, request, run_v2.ListTasksResponse)


def _missing(name: str, kind: str) -> ApiError:
    place = place_of(name)
    return not_found(
        f"Resource '{last(name)}' of kind '{kind}' in region '{place.location}' in project '{place.project}' "
        "does not exist."
    )
