"""What was pushed, by Google's own client."""

import json

import pytest
from google.api_core import exceptions
from google.cloud import artifactregistry_v1 as library

from tests.integration.infra.local.artifacts.conftest import APPS
from tests.integration.infra.local.registry.conftest import INDEX, MANIFEST, manifest, push, sha

NAME = "shipway-test/apps/team/hello"
PACKAGE = f"{APPS}/packages/team%2Fhello"


@pytest.fixture
def image(create, registry):
    """One version with two tags; its digest."""
    create()
    data = manifest(registry, b"layer", NAME)
    for tag in ("v1", "latest"):
        push(registry, tag, data, NAME)
    return sha(data)


def test_a_docker_image_is_what_was_pushed(artifacts, image):
    (found,) = artifacts.list_docker_images(parent=APPS)
    assert found.name == f"{APPS}/dockerImages/team%2Fhello@{image}"
    assert found.uri == f"europe-west1-docker.pkg.dev/{NAME}@{image}"
    assert sorted(found.tags) == ["latest", "v1"]
    assert found.media_type == MANIFEST
    assert found.image_size_bytes > len(b"layer")
    assert artifacts.get_docker_image(name=found.name) == found
    assert artifacts.get_repository(name=APPS).size_bytes == found.image_size_bytes


def test_an_index_names_its_platforms(artifacts, image, registry):
    platform = {"os": "linux", "architecture": "arm64", "variant": "v8"}
    entry = {"mediaType": MANIFEST, "digest": image, "size": 1, "platform": platform}
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
    push(registry, "all", index, NAME, INDEX)
    found = artifacts.get_docker_image(name=f"{APPS}/dockerImages/team%2Fhello@{sha(index)}")
    (variant,) = found.image_manifests
    assert (variant.architecture, variant.os, variant.variant) == ("arm64", "linux", "v8")
    assert variant.digest == image
    with pytest.raises(exceptions.BadRequest, match="parent images"):
        artifacts.delete_version({"name": f"{PACKAGE}/versions/{image}", "force": True})


def test_a_package_has_versions_and_tags(artifacts, image):
    (package,) = artifacts.list_packages(parent=APPS)
    assert package.name == PACKAGE
    assert artifacts.get_package(name=PACKAGE) == package
    (version,) = artifacts.list_versions(request={"parent": PACKAGE, "view": library.VersionView.FULL})
    assert version.name == f"{PACKAGE}/versions/{image}"
    assert [tag.name for tag in version.related_tags] == [f"{PACKAGE}/tags/latest", f"{PACKAGE}/tags/v1"]
    assert not artifacts.get_version(name=version.name).related_tags
    tags = list(artifacts.list_tags(parent=PACKAGE))
    assert tags == [
        library.Tag(name=f"{PACKAGE}/tags/{tag}", version=version.name) for tag in ("latest", "v1")
    ]
    assert artifacts.get_tag(name=f"{PACKAGE}/tags/v1") == tags[1]


def test_tags_can_be_of_one_version(artifacts, image, registry):
    push(registry, "v2", manifest(registry, b"other", NAME), NAME)
    asked = {"parent": PACKAGE, "filter": f'version="{PACKAGE}/versions/{image}"'}
    assert [tag.name[-2:] for tag in artifacts.list_tags(request=asked)] == ["st", "v1"]


def test_versions_come_in_pages_and_in_order(artifacts, image, registry):
    digests = [image]
    for number in range(3):
        data = manifest(registry, b"%d" % number, NAME)
        push(registry, sha(data), data, NAME)
        digests.append(sha(data))
    asked = {"parent": PACKAGE, "page_size": 2, "order_by": "create_time desc"}
    listed = [each.name.rpartition("/")[2] for each in artifacts.list_versions(request=asked)]
    assert listed == digests[::-1]


def test_a_tag_moves_by_the_api_and_is_pulled(artifacts, image, registry):
    data = manifest(registry, b"other", NAME)
    push(registry, sha(data), data, NAME)
    wanted = library.Tag(name=f"{PACKAGE}/tags/v1", version=f"{PACKAGE}/versions/{sha(data)}")
    artifacts.update_tag(tag=wanted)
    assert registry.get(f"/v2/{NAME}/manifests/v1").content == data
    made = artifacts.create_tag(parent=PACKAGE, tag_id="v3", tag=wanted)
    assert made.version == wanted.version
    assert registry.get(f"/v2/{NAME}/manifests/v3").content == data


def test_a_deleted_tag_leaves_its_version(artifacts, image, registry):
    artifacts.delete_tag(name=f"{PACKAGE}/tags/v1")
    assert registry.get(f"/v2/{NAME}/manifests/v1").status_code == 404
    assert registry.get(f"/v2/{NAME}/manifests/{image}").status_code == 200


def test_a_version_with_tags_is_deleted_by_force_alone(artifacts, image, registry):
    name = f"{PACKAGE}/versions/{image}"
    with pytest.raises(exceptions.BadRequest, match="is tagged"):
        artifacts.delete_version(name=name)
    artifacts.delete_version({"name": name, "force": True}).result()
    assert registry.get(f"/v2/{NAME}/manifests/{image}").status_code == 404
    with pytest.raises(exceptions.NotFound):
        artifacts.get_package(name=PACKAGE)


def test_versions_are_deleted_together(artifacts, image, registry):
    operation = artifacts.batch_delete_versions(
        {"parent": PACKAGE, "names": [f"{PACKAGE}/versions/{image}"], "validate_only": True}
    )
    operation.result()
    assert artifacts.get_package(name=PACKAGE)
    artifacts.batch_delete_versions({"parent": PACKAGE, "names": [f"{PACKAGE}/versions/{image}"]}).result()
    assert not list(artifacts.list_packages(parent=APPS))


def test_a_package_is_deleted_with_all_that_is_in_it(artifacts, image, registry, cloud):
    artifacts.delete_package(name=PACKAGE).result()
    assert registry.get(f"/v2/{NAME}/manifests/{image}").status_code == 404
    assert not cloud.cloud.registry.blobs.has(sha(b"layer"))


def test_immutable_tags_do_not_move(artifacts, create, registry):
    create(docker_config=library.Repository.DockerRepositoryConfig(immutable_tags=True))
    data = manifest(registry, b"layer", NAME)
    push(registry, "v1", data, NAME)
    with pytest.raises(exceptions.BadRequest, match="tag immutability"):
        artifacts.delete_tag(name=f"{PACKAGE}/tags/v1")
    answer = registry.put(
        f"/v2/{NAME}/manifests/v1", content=manifest(registry, b"2", NAME), headers={"content-type": MANIFEST}
    )
    assert answer.json()["errors"][0]["code"] == "MANIFEST_INVALID"


def test_a_repository_for_something_else_takes_no_images(create, registry):
    create(format_=library.Repository.Format.MAVEN)
    answer = registry.post(f"/v2/{NAME}/blobs/uploads/")
    assert answer.status_code == 403
    assert "not DOCKER" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("rest", ["packages/x", "packages/x/versions/sha256:0", "packages/x/tags/v1",
                                  "dockerImages/x@sha256:0"])  # fmt: skip
def test_what_is_not_there_is_not_found(artifacts, create, rest):
    create()
    calls = {"versions": artifacts.get_version, "tags": artifacts.get_tag, "x": artifacts.get_package}
    call = calls.get(rest.split("/")[-2], calls["x"]) if "docker" not in rest else artifacts.get_docker_image
    with pytest.raises(exceptions.NotFound):
        call(name=f"{APPS}/{rest}")
