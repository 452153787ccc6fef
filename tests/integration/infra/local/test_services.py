"""google.cloud.run.v2.Services by Google's own client."""

import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from tests.integration.infra.local.conftest import PARENT
from tests.integration.infra.local.runtime.waiting import until

NAME = f"{PARENT}/services/hello"
LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
FAILED = run_v2.Condition.State.CONDITION_FAILED


def service(image="localhost/app/hello", **more):
    container = run_v2.Container(image=image, env=[run_v2.EnvVar(name="A", value="b")])
    return run_v2.Service(template=run_v2.RevisionTemplate(containers=[container]), **more)


def violations(error):
    [detail] = error.details
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    return detail["fieldViolations"]


@pytest.fixture
def services(client):
    return client(run_v2.ServicesClient)


def create(services, made=None, service_id="hello"):
    return services.create_service(
        parent=PARENT, service=service() if made is None else made, service_id=service_id
    )


def test_a_created_service_is_ready_and_serves_its_first_revision(services, front):
    made = create(services, service(labels={"team": "ml"})).result(10)
    assert made.name == NAME
    assert made.generation == made.observed_generation == 1
    assert not made.reconciling
    assert made.terminal_condition.type_ == "Ready"
    assert made.terminal_condition.state == SUCCEEDED
    assert {each.type_: each.state for each in made.conditions} == {
        "RoutesReady": SUCCEEDED,
        "ConfigurationsReady": SUCCEEDED,
    }
    assert made.latest_ready_revision == made.latest_created_revision
    assert made.latest_ready_revision.startswith(f"{NAME}/revisions/hello-00001-")
    assert [(each.type_, each.percent) for each in made.traffic_statuses] == [(LATEST, 100)]
    assert made.uri.startswith("http://hello-")
    assert made.uri.endswith(".europe-west1.run.localhost:8099")
    assert made.uri in made.urls
    assert made.labels == {"team": "ml"}
    host = made.uri.removeprefix("http://").removesuffix(":8099")
    assert [target.revision_key for target in front.routes[host]] == [made.latest_ready_revision]
    assert services.get_service(name=NAME) == made


def test_a_dry_run_creates_nothing(services):
    request = run_v2.CreateServiceRequest(
        parent=PARENT, service=service(), service_id="hello", validate_only=True
    )
    assert services.create_service(request).result(10).template.timeout.total_seconds() == 300
    with pytest.raises(exceptions.NotFound):
        services.get_service(name=NAME)


def test_a_service_that_is_not_there_is_told_with_place_and_kind(services):
    with pytest.raises(exceptions.NotFound) as caught:
        services.get_service(name=NAME)
    assert caught.value.message.endswith(
        ": Resource 'hello' of kind 'SERVICE' in region 'europe-west1' "
        "in project 'shipway-test' does not exist."
    )


def test_a_name_is_taken_once(services):
    create(services).result(10)
    with pytest.raises(exceptions.Conflict, match="Resource 'hello' already exists"):
        create(services)


@pytest.mark.parametrize("bad", ["Hello", "1hello", "hello-", "h" * 50, "hel_lo"])
def test_a_wrong_id_is_a_violation_of_that_field(services, bad):
    with pytest.raises(exceptions.BadRequest) as caught:
        create(services, service_id=bad)
    [violation] = violations(caught.value)
    assert violation["field"] == "Violation in CreateServiceRequest.service_id"
    assert "must be less than 50 characters" in violation["description"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda made: setattr(made.template, "containers", []), "template.containers"),
        (lambda made: setattr(made.template.containers[0], "image", ""), "template.containers[0].image"),
        (
            lambda made: made.template.containers[0].env.append(run_v2.EnvVar(name="PORT", value="1")),
            "template.containers[0].env[1].name",
        ),
        (
            lambda made: made.template.containers[0].resources.limits.update({"memory": "64Mi"}),
            "template.containers[0].resources.limits.memory",
        ),
        (
            lambda made: made.template.containers[0].resources.limits.update({"cpu": "3"}),
            "template.containers[0].resources.limits.cpu",
        ),
        (
            lambda made: made.template.containers[0].ports.extend([run_v2.ContainerPort()] * 2),
            "template.containers[0].ports",
        ),
        (lambda made: setattr(made.template, "revision", "other-1"), "template.revision"),
        (lambda made: made.traffic.append(run_v2.TrafficTarget(type_=LATEST, percent=90)), "traffic"),
        (lambda made: made.labels.update({"run.googleapis.com/x": "y"}), "labels"),
        (
            lambda made: setattr(made.template.scaling, "min_instance_count", 2000),
            "template.scaling.min_instance_count",
        ),
    ],
)
def test_what_a_service_may_not_say_is_named_with_its_place(services, change, where):
    made = service()
    change(made)
    with pytest.raises(exceptions.BadRequest) as caught:
        create(services, made)
    [violation] = violations(caught.value)
    assert violation["field"] == f"Violation in CreateServiceRequest.service.{where}"


def test_services_are_listed_in_pages(services):
    for number in range(5):
        create(services, service_id=f"s{number}").result(10)
    pager = services.list_services(run_v2.ListServicesRequest(parent=PARENT, page_size=2))
    sizes = [len(page.services) for page in pager.pages]
    assert sizes == [2, 2, 1]
    everywhere = services.list_services(parent="projects/shipway-test/locations/-")
    assert [each.name.rpartition("/")[2] for each in everywhere] == ["s0", "s1", "s2", "s3", "s4"]
    assert not list(services.list_services(parent="projects/other-project/locations/-"))


def test_a_page_token_that_nobody_gave_out_is_refused(services):
    with pytest.raises(exceptions.BadRequest, match="Page token is invalid"):
        list(services.list_services(run_v2.ListServicesRequest(parent=PARENT, page_token="nonsense")))


def test_a_changed_template_makes_a_revision_and_a_changed_label_none(services):
    first = create(services).result(10)
    first.labels["a"] = "b"
    second = services.update_service(service=first).result(10)
    assert second.generation == 2
    assert second.latest_created_revision == first.latest_created_revision
    second.template.containers[0].env[0].value = "c"
    third = services.update_service(service=second).result(10)
    assert third.generation == 3
    assert third.latest_ready_revision.startswith(f"{NAME}/revisions/hello-00002-")


def test_an_update_mask_changes_what_it_names_only(services):
    create(services, service(description="old", labels={"a": "b"})).result(10)
    changed = run_v2.Service(name=NAME, description="new", labels={"c": "d"})
    updated = services.update_service(service=changed, update_mask={"paths": ["description"]}).result(10)
    assert (updated.description, dict(updated.labels)) == ("new", {"a": "b"})
    with pytest.raises(exceptions.BadRequest, match=r"nothing\.like\.that"):
        services.update_service(service=changed, update_mask={"paths": ["nothing.like.that"]})


def test_an_update_of_nothing_creates_where_it_may(services):
    missing = service()
    missing.name = NAME
    with pytest.raises(exceptions.NotFound):
        services.update_service(service=missing)
    request = run_v2.UpdateServiceRequest(service=missing, allow_missing=True)
    assert services.update_service(request).result(10).generation == 1


def test_two_updates_with_one_etag_are_one_update(services):
    made = create(services).result(10)
    made.description = "first"
    services.update_service(service=made)
    made.description = "second"
    with pytest.raises(exceptions.Conflict, match="Conflict for resource 'hello': version"):
        services.update_service(service=made)
    assert services.get_service(name=NAME).description == "first"


def test_a_revision_that_does_not_get_ready_leaves_the_old_one_serving(services, front):
    good = create(services).result(10)
    before = dict(front.routes)
    good.template.containers[0].image = "localhost/app/broken"
    operation = services.update_service(service=good)
    with pytest.raises(
        exceptions.InternalServerError, match="is not ready and cannot serve traffic"
    ) as caught:
        operation.result(10)
    assert "failed to start and listen on the port" in caught.value.message
    now = services.get_service(name=NAME)
    assert now.latest_ready_revision == good.latest_ready_revision
    assert now.latest_created_revision != good.latest_ready_revision
    assert now.terminal_condition.state == FAILED
    assert (
        now.terminal_condition.revision_reason == run_v2.Condition.RevisionReason.HEALTH_CHECK_CONTAINER_ERROR
    )
    assert front.routes == before
    now.template.containers[0].image = "localhost/app/good"
    assert services.update_service(service=now).result(10).terminal_condition.state == SUCCEEDED


def test_traffic_is_split_tagged_and_rolled_back(services, front, fleet):
    first = create(services).result(10)
    one = first.latest_ready_revision.rpartition("/")[2]
    first.template.containers[0].env[0].value = "2"
    first.traffic = [
        run_v2.TrafficTarget(type_=REVISION, revision=one, percent=90),
        run_v2.TrafficTarget(type_=LATEST, percent=10, tag="canary"),
    ]
    second = services.update_service(service=first).result(10)
    two = second.latest_ready_revision.rpartition("/")[2]
    assert [(each.revision, each.percent, each.tag) for each in second.traffic_statuses] == [
        (one, 90, ""),
        (two, 10, "canary"),
    ]
    assert second.traffic_statuses[1].uri.startswith("http://canary---hello-")
    second.traffic = [run_v2.TrafficTarget(type_=REVISION, revision=one, percent=100)]
    back = services.update_service(service=second).result(10)
    assert back.latest_ready_revision == second.latest_ready_revision
    for targets in front.routes.values():
        assert [(target.revision_key, target.percent) for target in targets] == [
            (f"{NAME}/revisions/{one}", 100)
        ]
    assert until(lambda: list(fleet.specs) == [f"{NAME}/revisions/{one}"])  # retired after the answer


def test_traffic_to_an_unknown_revision_changes_nothing(services, front):
    made = create(services).result(10)
    before = dict(front.routes)
    made.traffic = [run_v2.TrafficTarget(type_=REVISION, revision="hello-green", percent=100)]
    with pytest.raises(
        exceptions.InternalServerError, match="Revision 'hello-green' does not exist or is deleted"
    ):
        services.update_service(service=made).result(10)
    assert front.routes == before
    assert services.get_service(name=NAME).traffic_statuses[0].percent == 100


def test_a_revision_name_is_used_once(services):
    made = service()
    made.template.revision = "hello-blue"
    first = create(services, made).result(10)
    assert first.latest_ready_revision == f"{NAME}/revisions/hello-blue"
    first.template.containers[0].image = "localhost/app/other"
    with pytest.raises(exceptions.Conflict, match="Revision named 'hello-blue' with different configuration"):
        services.update_service(service=first)


def test_a_deleted_service_is_gone_with_its_revisions_and_routes(services, client, front, fleet):
    create(services).result(10)
    gone = services.delete_service(name=NAME).result(10)
    assert gone.delete_time
    with pytest.raises(exceptions.NotFound):
        services.get_service(name=NAME)
    everywhere = client(run_v2.RevisionsClient).list_revisions(parent=f"{PARENT}/services/-")
    assert not list(everywhere)
    assert not front.routes
    assert not fleet.specs
    assert create(services).result(10).generation == 1


def test_a_delete_breaks_off_the_update_that_is_under_way(services, fleet):
    made = create(services).result(10)
    made.template.containers[0].image = "localhost/app/slow"
    update = services.update_service(service=made)
    services.delete_service(name=NAME).result(10)
    with pytest.raises(exceptions.Aborted, match="was deleted while it was being updated"):
        update.result(10)
    assert not fleet.specs


def test_policies_are_kept_with_their_etags(services):
    create(services).result(10)
    policy = services.get_iam_policy({"resource": NAME})
    policy.bindings.add(role="roles/run.invoker", members=["allUsers"])
    stored = services.set_iam_policy({"resource": NAME, "policy": policy})
    assert services.get_iam_policy({"resource": NAME}) == stored
    with pytest.raises(exceptions.Conflict, match="concurrent policy changes"):
        services.set_iam_policy({"resource": NAME, "policy": policy})
    asked = {"resource": NAME, "permissions": ["run.services.get"]}
    assert list(services.test_iam_permissions(asked).permissions) == ["run.services.get"]
    with pytest.raises(exceptions.NotFound):
        services.get_iam_policy({"resource": f"{NAME}-other"})


def test_other_peoples_projects_and_places_are_denied(services):
    with pytest.raises(exceptions.Forbidden, match="Permission denied on resource project x"):
        list(services.list_services(parent="projects/x/locations/europe-west1"))
    with pytest.raises(exceptions.Forbidden, match="Permission denied on 'locations/nowhere'"):
        list(services.list_services(parent="projects/shipway-test/locations/nowhere"))
