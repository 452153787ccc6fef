"""What a container finds, by Cloud Run's runtime contract."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from infra.local.runtime.contract import RevisionSpec
from tests.integration.infra.local.runtime.image import write_image

ROOT = "/computeMetadata/v1"


def test_a_container_knows_its_port_service_and_revision(staged):
    staged.deploy(port=9090, env={"MINE": "1"})
    env = staged.json("/env")
    names = {"PORT": "9090", "K_SERVICE": "web", "K_REVISION": "web-1", "K_CONFIGURATION": "web"}
    assert {name: env[name] for name in names} == names
    assert (env["MINE"], env["FROM_IMAGE"]) == ("1", "yes")


def test_secrets_are_there_as_variables_and_as_files_and_not_in_the_log(staged):
    staged.deploy(secret_env={"TOKEN": b"hush-1"}, files={"/secrets/key": b"hush-2"})
    assert staged.json("/env")["TOKEN"] == "hush-1"
    assert staged.get("/file?/secrets/key").body == b"hush-2"
    assert "hush" not in repr(staged.tell("entries"))
    assert "hush" not in repr(RevisionSpec("p", "l", "s", "r", "i", secret_env={"A": b"hush"}))


def test_a_container_runs_as_its_image_says(staged, tmp_path):
    staged.deploy(image=write_image(tmp_path, user="server", workdir="/home/server"))
    who = staged.json("/who")
    assert (who["uid"], who["gid"], who["cwd"]) == (1234, 1235, "/home/server")


def test_what_an_instance_writes_ends_with_it(staged):
    spec = staged.deploy()
    assert [staged.get("/write").body for _ in range(2)] == [b"1", b"2"]
    staged.tell("retire", spec.key)
    staged.deploy(name="web-2")
    assert staged.get("/write").body == b"1"


def test_an_instance_reaches_nothing_outside(staged):
    staged.deploy()
    assert b"unreachable" in staged.get("/outside").body


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/project/project-id", "acme"),
        ("/project/numeric-project-id", "123"),
        ("/instance/region", "projects/123/regions/europe-west1"),
        ("/instance/service-accounts/default/email", "me@acme.iam.gserviceaccount.com"),
    ],
)
def test_the_metadata_server_says_who_an_instance_is(staged, path, expected):
    staged.deploy(service_account="me@acme.iam.gserviceaccount.com")
    answer = staged.json(f"/metadata?{ROOT}{path}")
    assert (answer["status"], answer["body"]) == (200, expected)
    assert "Metadata-Flavor: Google" in answer["head"]


def test_the_metadata_server_wants_its_header(staged):
    staged.deploy()
    assert staged.json(f"/metadata?{ROOT}/project/project-id", headers={"X-Plain": "1"})["status"] == 403


def test_an_identity_token_is_signed_for_its_account_and_audience(staged):
    staged.deploy(service_account="me@acme.iam.gserviceaccount.com")
    path = f"{ROOT}/instance/service-accounts/default/identity?audience=https://other.example"
    token = staged.json(f"/metadata?{path}")["body"]
    claims = jwt.decode(token, certs=_certificates(staged.tell("jwks")), audience="https://other.example")
    assert claims["email"] == "me@acme.iam.gserviceaccount.com"
    assert claims["iss"] == "https://accounts.google.com"
    assert claims["exp"] - claims["iat"] == 3600


def test_an_access_token_is_a_bearer_token(staged):
    staged.deploy()
    answer = staged.json(f"/metadata?{ROOT}/instance/service-accounts/default/token")
    token = json.loads(answer["body"])
    assert token["token_type"] == "Bearer"
    assert 0 < token["expires_in"] <= 3600


def test_lines_that_a_container_prints_are_log_entries_and_json_is_taken_apart(staged):
    staged.deploy()
    staged.get("/print", method="POST", body=b'{"severity": "ERROR", "message": "no luck", "code": 7}')
    found = [entry for entry in staged.tell("entries") if entry[2] == "no luck"]
    assert [(stream, severity, payload["code"]) for _, stream, _, severity, payload, _ in found] == [
        ("stdout", "ERROR", 7)
    ]


def test_a_task_runs_to_its_exit_code_and_its_output_is_told(staged):
    env = {"MODE": "task", "CLOUD_RUN_TASK_INDEX": "3", "CODE": "5"}
    code, said = staged.tell("task", staged.spec("job", "job-x-task3", env=env))
    assert code == 5
    assert ("stdout", "task 3") in said


def _certificates(jwks):
    """Keys by their ids, in the form that google-auth verifies with."""
    return {key["kid"]: _pem(key) for key in jwks["keys"]}


def _pem(key):
    n, e = (int.from_bytes(base64.urlsafe_b64decode(key[name] + "=="), "big") for name in ("n", "e"))
    public = rsa.RSAPublicNumbers(e, n).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
