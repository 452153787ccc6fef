"""Who may reach a service: its ingress, its policy, and the identity that a caller shows."""

import pytest
from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2, policy_pb2

from tests.integration.infra.local.whole.conftest import PARENT, Whole, service


def create(cloud, name, wanted):
    request = run_v2.CreateServiceRequest(parent=PARENT, service_id=name, service=wanted)
    return cloud.clients().services.create_service(request).result(timeout=60)


def grant(cloud, resource, *members):
    binding = policy_pb2.Binding(role="roles/run.invoker", members=members)
    request = iam_policy_pb2.SetIamPolicyRequest(
        resource=resource, policy=policy_pb2.Policy(bindings=[binding])
    )
    cloud.clients().services.set_iam_policy(request)


def token(cloud, caller, audience):
    """An identity token that an instance got from the metadata server."""
    path = f"/computeMetadata/v1/instance/service-accounts/default/identity?audience={audience}"
    return cloud.get(caller.uri, f"/metadata?{path}").json()["body"]


@pytest.fixture(scope="module")
def caller(cloud, image):
    return create(
        cloud, "caller", service(image, service_account="robot@acme-staging.iam.gserviceaccount.com")
    )


def test_the_owner_of_the_machine_may_invoke_a_private_service(cloud, caller):
    assert cloud.get(caller.uri).status_code == 200


def test_a_service_that_shows_who_it_is_needs_the_role(cloud, image, caller):
    made = create(cloud, "private", service(image))
    shown = {"Authorization": f"Bearer {token(cloud, caller, made.uri)}"}
    grant(cloud, made.name, "serviceAccount:somebody@else.test")
    assert cloud.get(made.uri, headers=shown).status_code == 403
    grant(cloud, made.name, "serviceAccount:robot@acme-staging.iam.gserviceaccount.com")
    assert cloud.get(made.uri, headers=shown).status_code == 200


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:-4] + "AAAA", lambda _: "a.b.c"], ids=["forged", "nonsense"]
)
def test_a_token_that_this_cloud_did_not_sign_is_refused(cloud, caller, spoil):
    shown = {"Authorization": f"Bearer {spoil(token(cloud, caller, caller.uri))}"}
    assert cloud.get(caller.uri, headers=shown).status_code == 401


def test_a_service_for_the_inside_is_not_there_for_those_outside(cloud, image, caller):
    wanted = service(image)
    wanted.ingress = run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY
    made = create(cloud, "inside", wanted)
    assert cloud.get(made.uri).status_code == 404
    assert cloud.get(caller.uri, f"/ask?{made.uri}/").text == "hello\n"


@pytest.mark.slow
def test_in_a_strict_cloud_a_service_is_private_until_everybody_may_invoke_it(tmp_path, push):
    cloud = Whole(tmp_path, "--strict")
    try:
        base = cloud.addresses["endpoint"]
        for api in ("run.googleapis.com", "artifactregistry.googleapis.com"):
            enabled = cloud.get(
                base, f"/v1/projects/acme-staging/services/{api}:enable", method="POST", json={}
            )
            assert enabled.status_code == 200, enabled.text
        where = f"/v1/{PARENT}/repositories?repositoryId=apps"
        assert cloud.get(base, where, method="POST", json={"format": "DOCKER"}).status_code == 200
        made = create(cloud, "closed", service(push(cloud)))
        assert cloud.get(made.uri).status_code == 403
        grant(cloud, made.name, "allUsers")
        assert cloud.get(made.uri).text == "hello\n"
    finally:
        cloud.stop()
