"""Secrets that Cloud Run gives to a revision: only those that its service account was granted."""

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.cloud import secretmanager_v1 as api
from google.iam.v1 import policy_pb2

from infra.local.control.names import project_number
from tests.integration.infra.local.conftest import PARENT

ACCOUNT = "app@shipway-test.iam.gserviceaccount.com"
PAYLOAD = b"correct horse battery staple"
NAME = f"{PARENT}/services/hello"


@pytest.fixture
def secrets(client):
    return client(api.SecretManagerServiceClient)


@pytest.fixture
def services(client):
    return client(run_v2.ServicesClient)


def keep(secrets, project):
    made = api.Secret(replication=api.Replication(automatic=api.Replication.Automatic()))
    name = f"projects/{project}/secrets/token"
    secrets.create_secret(parent=f"projects/{project}", secret_id="token", secret=made)
    secrets.add_secret_version(parent=name, payload=api.SecretPayload(data=PAYLOAD))
    return name


def grant(secrets, name):
    members = [f"serviceAccount:{ACCOUNT}"]
    binding = policy_pb2.Binding(role="roles/secretmanager.secretAccessor", members=members)
    secrets.set_iam_policy({"resource": name, "policy": policy_pb2.Policy(bindings=[binding])})


def deploy(services, secret, service_id="hello"):
    reference = run_v2.SecretKeySelector(secret=secret, version="latest")
    variable = run_v2.EnvVar(name="TOKEN", value_source=run_v2.EnvVarSource(secret_key_ref=reference))
    container = run_v2.Container(image="localhost/app/hello", env=[variable])
    template = run_v2.RevisionTemplate(containers=[container], service_account=ACCOUNT)
    wanted = run_v2.Service(template=template)
    return services.create_service(parent=PARENT, service=wanted, service_id=service_id)


@pytest.mark.parametrize("project", ["shipway-test", "other-project"])
def test_a_revision_is_given_a_secret_once_its_account_was_granted_it(services, secrets, fleet, project):
    secret = keep(secrets, project)
    with pytest.raises(exceptions.GoogleAPICallError) as caught:
        deploy(services, secret).result(10)
    assert (
        f"Permission denied on secret: projects/{project_number(project)}/secrets/token/versions/latest "
        f"for Revision service account {ACCOUNT}."
    ) in str(caught.value)
    assert PAYLOAD.decode() not in str(caught.value)
    grant(secrets, secret)
    deploy(services, secret, "granted").result(10)
    [spec] = fleet.specs.values()
    assert spec.secret_env == {"TOKEN": PAYLOAD}
    assert PAYLOAD.decode() not in repr(spec)


def test_no_answer_about_a_service_has_its_secrets(services, secrets):
    secret = keep(secrets, "shipway-test")
    grant(secrets, secret)
    made = deploy(services, secret).result(10)
    assert PAYLOAD.decode() not in str(made)
    assert PAYLOAD.decode() not in str(services.get_service(name=NAME))


def test_a_services_policy_goes_with_it(services, secrets):
    secret = keep(secrets, "shipway-test")
    grant(secrets, secret)
    deploy(services, secret).result(10)
    binding = policy_pb2.Binding(role="roles/run.invoker", members=["allUsers"])
    policy = services.set_iam_policy({"resource": NAME, "policy": policy_pb2.Policy(bindings=[binding])})
    assert list(services.get_iam_policy({"resource": NAME}).bindings) == list(policy.bindings)
    services.delete_service(name=NAME).result(10)
    deploy(services, secret).result(10)
    assert not services.get_iam_policy({"resource": NAME}).bindings
