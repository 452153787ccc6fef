"""google.cloud.run.v2.Revisions and operations by Google's own clients."""

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.longrunning import operations_pb2
from google.protobuf import duration_pb2

from tests.integration.infra.local.conftest import PARENT
from tests.integration.infra.local.test_services import NAME, REVISION, create, service

SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
FAILED = run_v2.Condition.State.CONDITION_FAILED


@pytest.fixture
def services(client):
    return client(run_v2.ServicesClient)


@pytest.fixture
def revisions(client):
    return client(run_v2.RevisionsClient)


def test_a_revision_is_what_the_template_was(services, revisions):
    made = service(labels={"of": "service"})
    made.template.labels = {"of": "revision"}
    made.template.max_instance_request_concurrency = 7
    name = create(services, made).result(10).latest_ready_revision
    found = revisions.get_revision(name=name)
    assert found.service == "hello"
    assert found.labels == {"of": "revision"}
    assert found.max_instance_request_concurrency == 7
    assert found.containers[0].image == "localhost/app/hello"
    assert found.containers[0].ports[0].container_port == 8080
    assert dict(found.containers[0].resources.limits) == {"cpu": "1000m", "memory": "512Mi"}
    assert found.scaling.max_instance_count == 100
    assert {each.state for each in found.conditions} == {SUCCEEDED}


def test_a_failed_revision_says_why(services, revisions):
    operation = create(services, service(image="localhost/app/missing"))
    with pytest.raises(exceptions.InternalServerError, match="Image 'localhost/app/missing' not found"):
        operation.result(10)
    [found] = revisions.list_revisions(parent=NAME)
    ready = next(each for each in found.conditions if each.type_ == "Ready")
    assert ready.state == FAILED
    assert ready.reason == run_v2.Condition.CommonReason.CONTAINER_MISSING
    assert ready.message == "Image 'localhost/app/missing' not found."


def test_revisions_are_listed_newest_first_in_pages(services, revisions):
    made = create(services).result(10)
    for value in "234":
        made.template.containers[0].env[0].value = value
        made = services.update_service(service=made).result(10)
    pages = revisions.list_revisions(run_v2.ListRevisionsRequest(parent=NAME, page_size=3)).pages
    numbers = [[each.name.split("-")[-2] for each in page.revisions] for page in pages]
    assert numbers == [["00004", "00003", "00002"], ["00001"]]
    with pytest.raises(exceptions.NotFound, match="of kind 'SERVICE'"):
        list(revisions.list_revisions(parent=f"{PARENT}/services/other"))


def test_a_revision_in_use_is_not_deleted_and_another_one_is(services, revisions):
    made = create(services).result(10)
    first = made.latest_ready_revision
    made.template.containers[0].env[0].value = "2"
    made = services.update_service(service=made).result(10)
    with pytest.raises(exceptions.BadRequest, match="latest revision"):
        revisions.delete_revision(name=made.latest_ready_revision)
    made.traffic = [run_v2.TrafficTarget(type_=REVISION, revision=first.rpartition("/")[2], percent=100)]
    made = services.update_service(service=made).result(10)
    with pytest.raises(exceptions.BadRequest, match="receiving traffic"):
        revisions.delete_revision(name=first)
    made.traffic = []
    services.update_service(service=made).result(10)
    assert revisions.delete_revision(name=first).result(10).name == first
    with pytest.raises(exceptions.NotFound, match="of kind 'REVISION'"):
        revisions.get_revision(name=first)


def test_operations_are_kept_listed_waited_for_and_deleted(services, fleet, cloud):
    create(services).result(10)
    operation = create(services, service(image="localhost/app/slow"), "slow").operation
    request = operations_pb2.WaitOperationRequest(
        name=operation.name, timeout=duration_pb2.Duration(nanos=10**7)
    )
    assert not services.wait_operation(request).done
    pending = services.list_operations({"name": PARENT, "filter": "done:false"})
    assert [each.name for each in pending.operations] == [operation.name]
    cloud.call(fleet.slow.set)
    done = services.wait_operation(operations_pb2.WaitOperationRequest(name=operation.name))
    assert done.done
    made = run_v2.Service.pb(run_v2.Service())
    assert done.response.Unpack(made)
    assert made.name == f"{PARENT}/services/slow"
    assert len(services.list_operations({"name": PARENT}).operations) == 2
    services.delete_operation({"name": operation.name})
    with pytest.raises(exceptions.NotFound):
        services.get_operation({"name": operation.name})
    with pytest.raises(exceptions.BadRequest, match="filter"):
        services.list_operations({"name": PARENT, "filter": "size > 3"})
