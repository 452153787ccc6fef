"""Jobs, executions and tasks of Cloud Run by Google's own clients."""

import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from tests.integration.infra.local.conftest import PARENT

NAME = f"{PARENT}/jobs/train"
Completion = run_v2.ExecutionReference.CompletionStatus


def job(image="localhost/app/train", tasks=1, **more):
    container = run_v2.Container(image=image, args=["a"], env=[run_v2.EnvVar(name="SEED", value="1")])
    template = run_v2.TaskTemplate(containers=[container], max_retries=0, **more)
    return run_v2.Job(template=run_v2.ExecutionTemplate(template=template, task_count=tasks))


@pytest.fixture
def jobs(client):
    return client(run_v2.JobsClient)


@pytest.fixture
def executions(client):
    return client(run_v2.ExecutionsClient)


@pytest.fixture
def tasks(client):
    return client(run_v2.TasksClient)


def create(jobs, made=None, job_id="train"):
    return jobs.create_job(parent=PARENT, job=job() if made is None else made, job_id=job_id).result(10)


def test_a_job_runs_all_its_tasks_to_their_end(jobs, executions, tasks, fleet):
    create(jobs, job(tasks=3))
    done = jobs.run_job(name=NAME).result(10)
    assert (done.succeeded_count, done.failed_count, done.running_count) == (3, 0, 0)
    assert done.completion_time >= done.start_time
    assert executions.get_execution(name=done.name) == done
    assert [each.name for each in executions.list_executions(parent=NAME)] == [done.name]
    found = list(tasks.list_tasks(parent=done.name))
    assert [each.index for each in found] == [0, 1, 2]
    assert tasks.get_task(name=found[1].name) == found[1]
    assert found[0].last_attempt_result.exit_code == 0
    assert {spec.env["CLOUD_RUN_TASK_INDEX"] for spec in fleet.tasks} == {"0", "1", "2"}
    assert {spec.env["CLOUD_RUN_TASK_COUNT"] for spec in fleet.tasks} == {"3"}
    known = jobs.get_job(name=NAME)
    assert known.execution_count == 1
    assert known.latest_created_execution.name == done.name
    assert known.latest_created_execution.completion_status == Completion.EXECUTION_SUCCEEDED


def test_a_run_can_say_what_is_different_this_time(jobs, fleet):
    create(jobs)
    override = run_v2.RunJobRequest.Overrides.ContainerOverride(
        args=["b", "c"], env=[run_v2.EnvVar(name="SEED", value="2")]
    )
    overrides = run_v2.RunJobRequest.Overrides(container_overrides=[override], task_count=2, timeout="30s")
    jobs.run_job(run_v2.RunJobRequest(name=NAME, overrides=overrides)).result(10)
    assert len(fleet.tasks) == 2
    for spec in fleet.tasks:
        assert (spec.args, spec.env["SEED"], spec.timeout) == (("b", "c"), "2", 30)
    jobs.run_job(name=NAME).result(10)
    assert (fleet.tasks[-1].args, fleet.tasks[-1].env["SEED"]) == (("a",), "1")


def test_a_task_that_fails_is_tried_again_and_then_given_up(jobs, executions, tasks, fleet):
    made = job(image="localhost/app/fails")
    made.template.template.max_retries = 2
    create(jobs, made)
    operation = jobs.run_job(name=NAME)
    with pytest.raises(
        exceptions.InternalServerError, match="failed with message: The container exited with an error"
    ):
        operation.result(10)
    assert [spec.env["CLOUD_RUN_TASK_ATTEMPT"] for spec in fleet.tasks] == ["0", "1", "2"]
    [execution] = executions.list_executions(parent=NAME)
    assert (execution.failed_count, execution.retried_count) == (1, 2)
    [completed] = [each for each in execution.conditions if each.type_ == "Completed"]
    assert completed.execution_reason == run_v2.Condition.ExecutionReason.NON_ZERO_EXIT_CODE
    [task] = tasks.list_tasks(parent=execution.name)
    assert (task.retried, task.last_attempt_result.exit_code) == (2, 3)


def test_a_cancelled_execution_stops(jobs, executions, tasks):
    create(jobs, job(image="localhost/app/endless", tasks=2))
    run = jobs.run_job(name=NAME)
    name = run.metadata.name
    executions.cancel_execution(name=name).result(10)
    done = run.result(10)
    assert (done.cancelled_count, done.failed_count, done.succeeded_count) == (2, 0, 0)
    assert all(each.completion_time for each in tasks.list_tasks(parent=name))
    with pytest.raises(exceptions.BadRequest, match="already completed"):
        executions.cancel_execution(name=name)
    assert (
        jobs.get_job(name=NAME).latest_created_execution.completion_status == Completion.EXECUTION_CANCELLED
    )


def test_a_task_that_takes_too_long_is_timed_out(jobs, tasks):
    made = job(image="localhost/app/endless", timeout="1s")
    create(jobs, made)
    with pytest.raises(exceptions.InternalServerError, match="The configured timeout was reached"):
        jobs.run_job(name=NAME).result(10)


def test_executions_are_deleted_alone_and_with_their_job(jobs, executions, tasks):
    create(jobs)
    first = jobs.run_job(name=NAME).result(10)
    second = jobs.run_job(name=NAME).result(10)
    executions.delete_execution(name=first.name).result(10)
    with pytest.raises(exceptions.NotFound, match="of kind 'EXECUTION'"):
        executions.get_execution(name=first.name)
    with pytest.raises(exceptions.NotFound):
        list(tasks.list_tasks(parent=first.name))
    jobs.delete_job(name=NAME).result(10)
    with pytest.raises(exceptions.NotFound, match="of kind 'JOB'"):
        jobs.get_job(name=NAME)
    with pytest.raises(exceptions.NotFound):
        executions.get_execution(name=second.name)


def test_a_job_that_runs_is_stopped_when_it_is_deleted(jobs):
    create(jobs, job(image="localhost/app/endless"))
    jobs.run_job(name=NAME)
    jobs.delete_job(name=NAME).result(10)
    assert not list(jobs.list_jobs(parent=PARENT))


def test_jobs_are_updated_listed_and_created_where_missing(jobs):
    made = create(jobs)
    made.template.task_count = 5
    made.labels["a"] = "b"
    changed = jobs.update_job(job=made).result(10)
    assert (changed.generation, changed.template.task_count, changed.labels["a"]) == (2, 5, "b")
    with pytest.raises(exceptions.Conflict, match="Conflict for resource 'train'"):
        jobs.update_job(job=made)
    other = job()
    other.name = f"{PARENT}/jobs/other"
    with pytest.raises(exceptions.NotFound):
        jobs.update_job(job=other)
    jobs.update_job(run_v2.UpdateJobRequest(job=other, allow_missing=True)).result(10)
    assert [each.name for each in jobs.list_jobs(parent=PARENT)] == [NAME, f"{PARENT}/jobs/other"]
    with pytest.raises(exceptions.Conflict, match="already exists"):
        create(jobs)


def test_policies_of_jobs_are_kept(jobs):
    create(jobs)
    policy = jobs.get_iam_policy({"resource": NAME})
    policy.bindings.add(role="roles/run.invoker", members=["user:someone@example.com"])
    assert jobs.set_iam_policy({"resource": NAME, "policy": policy}) == jobs.get_iam_policy(
        {"resource": NAME}
    )
    asked = {"resource": NAME, "permissions": ["run.jobs.run"]}
    assert list(jobs.test_iam_permissions(asked).permissions) == ["run.jobs.run"]
