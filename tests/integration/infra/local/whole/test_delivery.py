"""Google's client delivers to the whole cloud: deploys, splits, rolls back, runs jobs, side by side."""

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.rpc import error_details_pb2

from tests.integration.infra.local.whole.conftest import PARENT, service

LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def create(clients, name, wanted, parent=PARENT):
    request = run_v2.CreateServiceRequest(parent=parent, service_id=name, service=wanted)
    return clients.services.create_service(request).result(timeout=60)


def update(clients, wanted, *paths):
    request = run_v2.UpdateServiceRequest(service=wanted, update_mask=",".join(paths) or None)
    return clients.services.update_service(request).result(timeout=60)


def short(name):
    return name.rpartition("/")[2]


def test_a_service_answers_at_its_url_and_knows_who_it_is(cloud, clients, image):
    made = create(clients, "hello", service(image, env={"GREETING": "hi"}))
    assert made.terminal_condition.state == run_v2.Condition.State.CONDITION_SUCCEEDED
    seen = cloud.get(made.uri, "/env").json()
    assert seen["K_SERVICE"] == seen["K_CONFIGURATION"] == "hello"
    assert seen["K_REVISION"] == short(made.latest_ready_revision)
    assert (seen["PORT"], seen["GREETING"]) == ("8080", "hi")
    assert [cloud.get(url).text for url in made.urls] == ["hello\n", "hello\n"]


def test_traffic_is_split_moved_and_rolled_back(cloud, clients, image):
    first = create(clients, "moved", service(image, env={"VERSION": "1"}))
    one = short(first.latest_ready_revision)
    first.template.containers[0].env[0].value = "2"
    first.traffic = [
        run_v2.TrafficTarget(type_=REVISION, revision=one, percent=100),
        run_v2.TrafficTarget(type_=LATEST, percent=0, tag="canary"),
    ]
    second = update(clients, first)
    two = short(second.latest_ready_revision)

    def versions(count=20):
        return {cloud.get(second.uri, "/env").json()["VERSION"] for _ in range(count)}

    assert versions() == {"1"}
    [tagged] = [each for each in second.traffic_statuses if each.tag == "canary"]
    assert cloud.get(tagged.uri, "/env").json()["VERSION"] == "2"
    second.traffic = [
        run_v2.TrafficTarget(type_=REVISION, revision=one, percent=50),
        run_v2.TrafficTarget(type_=REVISION, revision=two, percent=50),
    ]
    third = update(clients, second, "traffic")
    assert third.latest_ready_revision.endswith(two)
    assert versions() == {"1", "2"}
    third.traffic = [run_v2.TrafficTarget(type_=REVISION, revision=one, percent=100)]
    update(clients, third, "traffic")
    assert versions() == {"1"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"env": {"MODE": "exit"}},
            "failed to start and listen on the port defined provided by the PORT=8080",
            id="exits",
        ),
        pytest.param(
            {"image": "localhost:1/nothing/there/x:1"},
            "Image 'localhost:1/nothing/there/x:1' not found",
            id="no-image",
            marks=pytest.mark.slow,
        ),
        pytest.param({"digest": True}, "not found", id="no-digest"),
        pytest.param(
            {"env": {"MODE": "hungry"}, "container": {"resources": {"limits": {"memory": "128Mi"}}}},
            "Memory limit of 128 MiB exceeded",
            id="memory",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_revision_that_does_not_become_ready_leaves_the_old_one_serving(
    cloud, clients, image, change, message
):
    name = f"kept-{len(message)}"
    made = create(clients, name, service(image))
    serving = made.latest_ready_revision
    change = dict(change)
    broken = change.pop(
        "image", f"{image.partition('@')[0]}@sha256:{'0' * 64}" if change.pop("digest", 0) else image
    )
    wanted = service(broken, **change)
    wanted.name = made.name
    with pytest.raises(exceptions.GoogleAPICallError) as caught:
        update(clients, wanted, "template")
    assert message in str(caught.value)
    now = clients.services.get_service(name=made.name)
    assert now.latest_ready_revision == serving != now.latest_created_revision
    assert now.terminal_condition.state == run_v2.Condition.State.CONDITION_FAILED
    assert message in now.terminal_condition.message
    assert cloud.get(made.uri, "/env").json()["K_REVISION"] == short(serving)


def test_a_job_runs_its_tasks_to_their_end_and_tells_which_failed(clients, image):
    def job(code):
        container = run_v2.Container(
            image=image,
            env=[run_v2.EnvVar(name="MODE", value="task"), run_v2.EnvVar(name="CODE", value=code)],
        )
        template = run_v2.TaskTemplate(containers=[container], max_retries=0)
        return run_v2.Job(template=run_v2.ExecutionTemplate(task_count=3, template=template))

    for name, code in (("good", "0"), ("bad", "3")):
        request = run_v2.CreateJobRequest(parent=PARENT, job_id=name, job=job(code))
        clients.jobs.create_job(request).result(timeout=60)
    done = clients.jobs.run_job(name=f"{PARENT}/jobs/good").result(timeout=60)
    assert (done.succeeded_count, done.failed_count) == (3, 0)
    with pytest.raises(exceptions.GoogleAPICallError, match="exited with an error"):
        clients.jobs.run_job(name=f"{PARENT}/jobs/bad").result(timeout=60)
    [failed] = clients.executions.list_executions(parent=f"{PARENT}/jobs/bad")
    assert failed.failed_count == 3


@pytest.mark.slow
def test_environments_stand_side_by_side_and_each_has_its_own_service(cloud, clients, push):
    seen = {}
    for env in ("development", "test", "staging", "acceptance", "production"):
        image = push(cloud, f"side-{env}")
        parent = f"projects/side-{env}/locations/europe-west1"
        made = create(clients, "loans", service(image, env={"ENVIRONMENT": env}), parent)
        seen[env] = made.uri
    assert len(set(seen.values())) == 5
    for env, uri in seen.items():
        assert cloud.get(uri, "/env").json()["ENVIRONMENT"] == env


def test_a_deleted_service_answers_no_more(cloud, clients, image):
    made = create(clients, "gone", service(image))
    clients.services.delete_service(name=made.name).result(timeout=60)
    assert cloud.get(made.uri).status_code == 404
    with pytest.raises(exceptions.NotFound):
        clients.services.get_service(name=made.name)


@pytest.mark.slow
def test_a_service_at_rest_scales_to_zero_and_answers_again(cloud, clients, image):
    made = create(clients, "sleepy", service(image))
    assert cloud.get(made.uri, "/exit?0").status_code in {502, 503}
    assert cloud.get(made.uri).text == "hello\n"


def test_the_operation_of_a_failed_deploy_has_the_end_of_the_containers_log(clients, image):
    request = run_v2.CreateServiceRequest(
        parent=PARENT, service_id="talkative", service=service(image, env={"MODE": "exit"})
    )
    operation = clients.services.create_service(request)
    assert operation.exception(timeout=60) is not None
    [detail] = operation.operation.error.details
    debug = error_details_pb2.DebugInfo()
    assert detail.Unpack(debug)
    assert "cannot go on" in debug.detail
