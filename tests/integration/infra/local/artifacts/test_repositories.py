"""Repositories of Artifact Registry, by Google's own client."""

import pytest
from google.api_core import exceptions
from google.cloud import artifactregistry_v1 as library
from google.cloud.location import locations_pb2
from google.iam.v1 import policy_pb2
from google.protobuf import duration_pb2, field_mask_pb2

from tests.integration.infra.local.artifacts.conftest import APPS
from tests.integration.infra.local.conftest import PARENT

Repository = library.Repository
Policy = library.CleanupPolicy


def test_a_repository_is_created_by_an_operation(artifacts):
    operation = artifacts.create_repository(
        parent=PARENT,
        repository=Repository(format_=Repository.Format.DOCKER, description="ours", labels={"a": "b"}),
        repository_id="apps",
    )
    assert isinstance(operation.metadata, library.OperationMetadata)
    made = operation.result()
    assert (made.name, made.description, dict(made.labels)) == (APPS, "ours", {"a": "b"})
    assert made.mode == Repository.Mode.STANDARD_REPOSITORY
    assert made.registry_uri == "europe-west1-docker.pkg.dev/shipway-test/apps"
    assert made.create_time == made.update_time
    assert artifacts.get_repository(name=APPS) == made


def test_a_repository_cannot_be_created_twice(create):
    create()
    with pytest.raises(exceptions.Conflict, match="the repository already exists"):
        create()


@pytest.mark.parametrize("name", ["", "Apps", "1a", "a_b", "a-", "a" * 64])
def test_a_repository_has_a_name_by_the_rules(create, name):
    with pytest.raises(exceptions.BadRequest):
        create(name)


def test_a_repository_needs_a_format(create):
    with pytest.raises(exceptions.BadRequest, match="format must be specified"):
        create(format_=Repository.Format.FORMAT_UNSPECIFIED)


@pytest.mark.parametrize("labels", [{"A": "b"}, {"a": "B"}, {"": "x"}, {"a": "x" * 64}])
def test_labels_are_lower_case_and_short(create, labels):
    with pytest.raises(exceptions.BadRequest, match="Label"):
        create(labels=labels)


def test_repositories_come_in_pages_and_by_name(artifacts, create):
    for name in ("b", "a", "c"):
        create(name)
    listed = [each.name for each in artifacts.list_repositories(request={"parent": PARENT, "page_size": 2})]
    assert listed == [f"{PARENT}/repositories/{name}" for name in "bac"]
    listed = artifacts.list_repositories(request={"parent": PARENT, "order_by": "name desc"})
    assert [each.name[-1] for each in listed] == ["c", "b", "a"]
    listed = artifacts.list_repositories(
        request={"parent": PARENT, "filter": f'name="{PARENT}/repositories/a*"'}
    )
    assert [each.name[-1] for each in listed] == ["a"]
    with pytest.raises(exceptions.BadRequest):
        artifacts.list_repositories(request={"parent": PARENT, "filter": "size > 3"})


def test_cleanup_policies_are_stored(create, artifacts):
    policies = {
        "old": Policy(
            id="old",
            action=Policy.Action.DELETE,
            condition=library.CleanupPolicyCondition(older_than=duration_pb2.Duration(seconds=86_400)),
        ),
        "keep": Policy(
            id="keep",
            action=Policy.Action.KEEP,
            most_recent_versions=library.CleanupPolicyMostRecentVersions(keep_count=5),
        ),
    }
    create(cleanup_policies=policies, cleanup_policy_dry_run=True)
    assert dict(artifacts.get_repository(name=APPS).cleanup_policies) == policies


def test_a_cleanup_policy_needs_an_action(create):
    with pytest.raises(exceptions.BadRequest, match="must have an action"):
        create(cleanup_policies={"x": Policy(id="x")})


def test_an_update_is_of_the_fields_in_the_mask(artifacts, create):
    before = create(description="old", labels={"a": "b"})
    wanted = Repository(name=APPS, description="new", labels={"c": "d"})
    mask = field_mask_pb2.FieldMask(paths=["description"])
    after = artifacts.update_repository(repository=wanted, update_mask=mask)
    assert (after.description, dict(after.labels)) == ("new", {"a": "b"})
    assert after.update_time > before.update_time
    mask = field_mask_pb2.FieldMask(paths=["labels", "docker_config.immutable_tags"])
    wanted.docker_config.immutable_tags = True
    after = artifacts.update_repository(repository=wanted, update_mask=mask)
    assert (dict(after.labels), after.docker_config.immutable_tags) == ({"c": "d"}, True)


def test_the_format_stays(artifacts, create):
    create()
    wanted = Repository(name=APPS, format_=Repository.Format.MAVEN)
    with pytest.raises(exceptions.BadRequest, match="format is immutable"):
        artifacts.update_repository(repository=wanted, update_mask=field_mask_pb2.FieldMask(paths=["format"]))


def test_an_unknown_field_in_a_mask_is_refused(artifacts, create):
    create()
    with pytest.raises(exceptions.BadRequest, match="nonsense"):
        artifacts.update_repository(
            repository=Repository(name=APPS), update_mask=field_mask_pb2.FieldMask(paths=["nonsense"])
        )


def test_a_deleted_repository_is_gone_with_its_images(artifacts, create, registry):
    create()
    path = "/v2/shipway-test/apps/hello/blobs/uploads/"
    assert registry.post(path).status_code == 202
    assert artifacts.delete_repository(name=APPS).result() is not None
    with pytest.raises(exceptions.NotFound, match="Requested entity was not found"):
        artifacts.get_repository(name=APPS)
    answer = registry.post(path)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["message"] == 'Repository "apps" not found'


def test_an_operation_can_be_asked_for_again(artifacts, create):
    operation = artifacts.create_repository(
        parent=PARENT, repository=Repository(format_=Repository.Format.DOCKER), repository_id="apps"
    ).operation
    assert artifacts.get_operation({"name": operation.name}).done


@pytest.mark.parametrize(
    ("name", "error"),
    [(f"{PARENT}/repositories/nothing", exceptions.NotFound),
     ("projects/shipway-test/locations/nowhere/repositories/apps", exceptions.Forbidden),
     ("projects/X/locations/europe-west1/repositories/apps", exceptions.Forbidden)],
)  # fmt: skip
def test_what_is_not_there_is_refused(artifacts, name, error):
    with pytest.raises(error):
        artifacts.get_repository(name=name)


def test_a_policy_is_kept(artifacts, create):
    create()
    binding = policy_pb2.Binding(role="roles/artifactregistry.reader", members=["allUsers"])
    artifacts.set_iam_policy({"resource": APPS, "policy": policy_pb2.Policy(bindings=[binding])})
    assert list(artifacts.get_iam_policy({"resource": APPS}).bindings) == [binding]
    with pytest.raises(exceptions.NotFound):
        artifacts.get_iam_policy({"resource": f"{PARENT}/repositories/nothing"})


def test_locations_are_listed(artifacts):
    listed = artifacts.list_locations(locations_pb2.ListLocationsRequest(name="projects/shipway-test"))
    assert "europe-west1" in {each.location_id for each in listed.locations}
    found = artifacts.get_location(locations_pb2.GetLocationRequest(name=PARENT))
    assert found.name == PARENT


def test_a_multi_region_is_a_location(artifacts):
    made = artifacts.create_repository(
        parent="projects/shipway-test/locations/europe",
        repository=Repository(format_=Repository.Format.DOCKER),
        repository_id="apps",
    ).result()
    assert made.registry_uri == "europe-docker.pkg.dev/shipway-test/apps"
