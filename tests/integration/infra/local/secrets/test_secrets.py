"""Secret Manager by Google's own client."""

import base64
import logging
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud import secretmanager_v1 as api
from google.iam.v1 import policy_pb2

from infra.local.control.names import project_number
from infra.local.control.run.secrets import SecretDenied
from infra.local.control.secrets.crc32c import crc32c
from infra.local.control.secrets.manager import SecretManager
from infra.local.state import Shelf

PROJECT = "projects/shipway-test"
NUMBERED = f"projects/{project_number('shipway-test')}"
NAME = f"{PROJECT}/secrets/token"
AUTOMATIC = api.Replication(automatic=api.Replication.Automatic())
ACCOUNT = "app@shipway-test.iam.gserviceaccount.com"
State = api.SecretVersion.State
PAYLOAD = b"correct horse battery staple"


@pytest.fixture
def secrets(client):
    return client(api.SecretManagerServiceClient)


@pytest.fixture
def secret(secrets):
    return create(secrets, labels={"team": "ml"})


def create(secrets, name="token", parent=PROJECT, **fields):
    made = api.Secret(**{"replication": AUTOMATIC, **fields})
    return secrets.create_secret(parent=parent, secret_id=name, secret=made)


def add(secrets, data=PAYLOAD, parent=NAME):
    return secrets.add_secret_version(parent=parent, payload=api.SecretPayload(data=data))


def update(secrets, paths, **fields):
    return secrets.update_secret(secret=api.Secret(name=NAME, **fields), update_mask={"paths": paths})


def test_a_secret_is_named_by_its_projects_number(secrets, secret):
    assert secret.name == f"{NUMBERED}/secrets/token"
    assert secret.labels == {"team": "ml"}
    assert secret.etag
    assert "automatic" in secret.replication
    assert secrets.get_secret(name=NAME) == secrets.get_secret(name=secret.name) == secret
    assert list(secrets.list_secrets(parent=PROJECT)) == [secret]


def test_a_secret_is_made_once(secrets, secret):
    with pytest.raises(exceptions.Conflict, match="already exists"):
        create(secrets)


@pytest.mark.parametrize("secret_id", ["", "a b", "a.b", "a" * 256])
def test_an_id_has_letters_digits_dashes_and_underscores(secrets, secret_id):
    with pytest.raises(exceptions.BadRequest, match="Secret ID"):
        create(secrets, secret_id)


def test_a_global_secret_says_how_it_is_replicated(secrets):
    with pytest.raises(exceptions.BadRequest, match="replication must be provided"):
        create(secrets, replication=api.Replication())


def test_a_regional_secret_is_in_its_region(secrets):
    parent = f"{PROJECT}/locations/europe-west1"
    made = create(secrets, parent=parent, replication=None)
    assert made.name == f"{NUMBERED}/locations/europe-west1/secrets/token"
    assert list(secrets.list_secrets(parent=PROJECT)) == []
    version = add(secrets, parent=made.name)
    assert secrets.access_secret_version(name=version.name).payload.data == PAYLOAD


def test_what_is_not_there_is_told_by_its_name(secrets):
    with pytest.raises(exceptions.NotFound) as caught:
        secrets.get_secret(name=NAME)
    assert caught.value.message.endswith(f"Secret [{NUMBERED}/secrets/token] not found.")


def test_a_payload_comes_back_with_its_checksum(secrets, secret):
    version = add(secrets)
    assert (version.name, version.state) == (f"{secret.name}/versions/1", State.ENABLED)
    answer = secrets.access_secret_version(name=f"{NAME}/versions/1")
    assert (answer.name, answer.payload.data) == (version.name, PAYLOAD)
    assert answer.payload.data_crc32c == crc32c(PAYLOAD)


def test_latest_is_the_newest_version_and_an_alias_the_one_it_names(secrets, secret):
    add(secrets, b"one")
    add(secrets, b"two")
    assert secrets.access_secret_version(name=f"{NAME}/versions/latest").payload.data == b"two"
    update(secrets, ["version_aliases"], version_aliases={"stable": 1})
    assert secrets.access_secret_version(name=f"{NAME}/versions/stable").payload.data == b"one"
    with pytest.raises(exceptions.BadRequest, match="does not exist"):
        update(secrets, ["version_aliases"], version_aliases={"next": 3})


def test_a_secret_without_versions_has_no_latest(secrets, secret):
    with pytest.raises(exceptions.NotFound, match=r"versions/latest\] not found"):
        secrets.access_secret_version(name=f"{NAME}/versions/latest")


def test_a_damaged_payload_is_refused(secrets, secret):
    with pytest.raises(exceptions.BadRequest, match="checksum"):
        secrets.add_secret_version(parent=NAME, payload=api.SecretPayload(data=b"a", data_crc32c=1))
    payload = api.SecretPayload(data=b"a", data_crc32c=crc32c(b"a"))
    assert secrets.add_secret_version(parent=NAME, payload=payload).client_specified_payload_checksum


@pytest.mark.parametrize("data", [b"", bytes(64 * 1024 + 1)])
def test_a_payload_has_up_to_64_kib(secrets, secret, data):
    with pytest.raises(exceptions.BadRequest):
        add(secrets, data)


def test_a_version_goes_off_on_and_away(secrets, secret):
    add(secrets)
    name = f"{NAME}/versions/1"
    assert secrets.disable_secret_version(name=name).state == State.DISABLED
    with pytest.raises(exceptions.BadRequest, match="is in DISABLED state"):
        secrets.access_secret_version(name=name)
    assert secrets.enable_secret_version(name=name).state == State.ENABLED
    assert secrets.access_secret_version(name=name).payload.data == PAYLOAD
    gone = secrets.destroy_secret_version(name=name)
    assert (gone.state, bool(gone.destroy_time)) == (State.DESTROYED, True)
    for call in (
        secrets.access_secret_version,
        secrets.enable_secret_version,
        secrets.destroy_secret_version,
    ):
        with pytest.raises(exceptions.BadRequest, match="is in DESTROYED state"):
            call(name=name)
    assert [each.state for each in secrets.list_secret_versions(parent=NAME)] == [State.DESTROYED]
    assert add(secrets).name.endswith("/versions/2")


def test_destruction_may_be_put_off(secrets):
    create(secrets, version_destroy_ttl=timedelta(days=1))
    add(secrets)
    version = secrets.destroy_secret_version(name=f"{NAME}/versions/1")
    assert version.state == State.DISABLED
    assert version.scheduled_destroy_time > datetime.now(UTC) + timedelta(hours=23)
    assert secrets.enable_secret_version(name=f"{NAME}/versions/1").state == State.ENABLED


def test_versions_are_listed_newest_first_by_page_and_by_filter(secrets, secret):
    for number in range(5):
        add(secrets, b"%d" % number)
    secrets.disable_secret_version(name=f"{NAME}/versions/2")
    request = api.ListSecretVersionsRequest(parent=NAME, page_size=2)
    listed = [each.name.rpartition("/")[2] for each in secrets.list_secret_versions(request)]
    assert listed == ["5", "4", "3", "2", "1"]
    request = api.ListSecretVersionsRequest(parent=NAME, filter="state:DISABLED")
    assert [each.name[-1] for each in secrets.list_secret_versions(request)] == ["2"]


def test_secrets_are_found_by_label_and_name(secrets, secret):
    create(secrets, "other", labels={"team": "web"})

    def found(text):
        request = api.ListSecretsRequest(parent=PROJECT, filter=text)
        return [each.name.rpartition("/")[2] for each in secrets.list_secrets(request)]

    assert found("labels.team=ml") == ["token"]
    assert found("name:oth") == ["other"]
    assert found("labels.team:* AND name:token") == ["token"]
    with pytest.raises(exceptions.BadRequest, match="filter"):
        found("nonsense=1")


def test_only_what_the_mask_names_is_changed(secrets, secret):
    changed = update(secrets, ["labels"], labels={"a": "b"}, annotations={"c": "d"})
    assert (changed.labels, changed.annotations) == ({"a": "b"}, {})
    assert changed.etag != secret.etag
    with pytest.raises(exceptions.BadRequest, match="etag"):
        update(secrets, ["labels"], etag=secret.etag)
    with pytest.raises(exceptions.BadRequest, match="immutable"):
        update(secrets, ["replication"])
    with pytest.raises(exceptions.BadRequest, match="update_mask"):
        update(secrets, [])
    with pytest.raises(exceptions.BadRequest, match="label"):
        update(secrets, ["labels"], labels={"Not A Key": ""})


def test_a_secret_past_its_time_is_gone(cloud, secrets):
    made = create(secrets, ttl=timedelta(hours=1))
    assert timedelta(minutes=59) < made.expire_time - datetime.now(UTC) <= timedelta(hours=1)
    with pytest.raises(exceptions.BadRequest, match="future"):
        create(secrets, "late", expire_time=datetime.now(UTC) - timedelta(hours=1))
    made.expire_time = datetime.now(UTC) - timedelta(hours=1)
    cloud.call(Shelf(cloud.cloud.store, "secret", api.Secret).put, made)
    with pytest.raises(exceptions.NotFound):
        secrets.get_secret(name=NAME)


def test_a_deleted_secret_takes_everything_with_it(secrets, secret):
    add(secrets)
    policy(secrets, "user:a@example.com")
    with pytest.raises(exceptions.BadRequest, match="etag"):
        secrets.delete_secret(api.DeleteSecretRequest(name=NAME, etag='"no"'))
    secrets.delete_secret(api.DeleteSecretRequest(name=NAME, etag=secret.etag))
    create(secrets)
    assert not secrets.get_iam_policy({"resource": NAME}).bindings
    with pytest.raises(exceptions.NotFound):
        secrets.access_secret_version(name=f"{NAME}/versions/1")


def policy(secrets, member, role="roles/secretmanager.secretAccessor"):
    binding = policy_pb2.Binding(role=role, members=[member])
    return secrets.set_iam_policy({"resource": NAME, "policy": policy_pb2.Policy(bindings=[binding])})


@pytest.fixture
def read(cloud, tmp_path):
    """Reads a secret as Cloud Run does for a revision."""
    manager = SecretManager(cloud.cloud.store, tmp_path / "state")

    def call(account=ACCOUNT, version=f"{NAME}/versions/latest"):
        return cloud.call(manager.read, version, account)

    return call


def test_a_service_account_reads_what_it_was_granted(read, secrets, secret):
    add(secrets)
    with pytest.raises(SecretDenied) as caught:
        read()
    assert str(caught.value) == (
        f"Permission denied on secret: {NUMBERED}/secrets/token/versions/latest for Revision service account "
        f"{ACCOUNT}. The service account used must be granted the 'Secret Manager Secret Accessor' role "
        "(roles/secretmanager.secretAccessor) at the secret, project or higher level."
    )
    policy(secrets, f"serviceAccount:{ACCOUNT}", "roles/secretmanager.viewer")
    with pytest.raises(SecretDenied, match="Permission denied"):
        read()
    policy(secrets, f"serviceAccount:{ACCOUNT}")
    assert read() == PAYLOAD
    with pytest.raises(SecretDenied, match="Permission denied"):
        read("else@other-project.iam.gserviceaccount.com")


def test_whether_another_projects_secret_is_there_is_not_told(read, secrets):
    there = create(secrets, parent="projects/other-project").name
    add(secrets, parent=there)
    texts = []
    for name in (there, there.replace("token", "absent")):
        with pytest.raises(SecretDenied) as caught:
            read(version=f"{name}/versions/1")
        texts.append(str(caught.value).replace(name, ""))
    assert texts[0] == texts[1]


def test_a_granted_version_that_cannot_be_read_says_why(read, secrets, secret):
    policy(secrets, f"serviceAccount:{ACCOUNT}")
    with pytest.raises(SecretDenied, match="was not found"):
        read()
    add(secrets)
    secrets.disable_secret_version(name=f"{NAME}/versions/1")
    with pytest.raises(SecretDenied, match="DISABLED"):
        read()


def test_a_payload_is_in_no_answer_log_or_file_but_its_own(secrets, secret, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    version = add(secrets)
    said = [
        str(version),
        str(secrets.get_secret(name=NAME)),
        str(secrets.get_secret_version(name=version.name)),
    ]
    said += map(str, secrets.list_secrets(parent=PROJECT))
    said += map(str, secrets.list_secret_versions(parent=NAME))
    payload = api.SecretPayload(data=PAYLOAD, data_crc32c=1)
    with pytest.raises(exceptions.BadRequest) as caught:
        secrets.add_secret_version(parent=NAME, payload=payload)
    said += [str(caught.value), repr(caught.value), caplog.text]
    encoded = base64.b64encode(PAYLOAD).decode()
    assert not [text for text in said if PAYLOAD.decode() in text or encoded in text]
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and PAYLOAD in file.read_bytes()]
