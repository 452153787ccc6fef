"""The metadata server: who an instance is, as Google's own answers it."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

ROOT = "/computeMetadata/v1"
ACCOUNT = "me@acme.iam.gserviceaccount.com"
IDENTITY = f"{ROOT}/instance/service-accounts/default/identity"


@pytest.fixture
def ask(staged):
    """Deploys an instance; asks its metadata server from inside."""
    staged.deploy(service_account=ACCOUNT)
    return lambda path, **headers: staged.json(f"/metadata?{path}", headers=headers)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/project/project-id", "acme"),
        ("/project/numeric-project-id", "123"),
        ("/instance/region", "projects/123/regions/europe-west1"),
        ("/instance/service-accounts/default/email", ACCOUNT),
        (f"/instance/service-accounts/{ACCOUNT}/email", ACCOUNT),
        ("/instance/service-accounts/default/scopes", "https://www.googleapis.com/auth/cloud-platform"),
        ("/instance/service-accounts/", f"default/\n{ACCOUNT}/\n"),
    ],
)
def test_the_metadata_server_says_who_an_instance_is(ask, path, expected):
    answer = ask(f"{ROOT}{path}")
    assert (answer["status"], answer["body"]) == (200, expected)
    assert "Metadata-Flavor: Google" in answer["head"]


def test_each_instance_has_an_id_of_its_own(staged):
    staged.deploy(concurrency=1)
    first = staged.json(f"/metadata?{ROOT}/instance/id")["body"]
    staged.deploy(service="other", name="other-1")
    second = staged.json(f"/metadata?{ROOT}/instance/id", service="other")["body"]
    assert first != second
    assert len(first) == len(second) == 64


def test_a_recursive_answer_is_json_with_google_s_names(ask):
    answer = json.loads(ask(f"{ROOT}/?recursive=true")["body"])
    assert answer["project"] == {"numericProjectId": 123, "projectId": "acme"}
    assert answer["instance"]["serviceAccounts"]["default"]["aliases"] == ["default"]


def test_a_request_without_the_flavor_or_through_a_proxy_is_forbidden(ask):
    without = ask(f"{ROOT}/project/project-id", **{"X-Plain": "1"})
    assert without["status"] == 403
    assert "Missing Metadata-Flavor:Google header." in without["body"]
    assert "acme" not in without["body"]
    assert ask(f"{ROOT}/project/project-id", **{"X-Proxied": "1"})["status"] == 403


@pytest.mark.parametrize(
    "path", [f"{ROOT}/instance/nothing", f"{ROOT}/project/project-id/more", "/computeMetadata/v2/", "/other"]
)
def test_what_is_not_there_is_404(ask, path):
    assert ask(path)["status"] == 404


def test_a_directory_without_its_slash_is_redirected_to_it(ask):
    answer = ask(f"{ROOT}/instance")
    assert answer["status"] == 301
    assert f"Location: {ROOT}/instance/" in answer["head"]


def test_clients_find_out_by_the_root_that_they_are_at_google(ask):
    answer = ask("/", **{"X-Plain": "1"})
    assert (answer["status"], "Metadata-Flavor: Google" in answer["head"]) == (200, True)


@pytest.mark.parametrize("more", ["", "&format=full"])
def test_an_identity_token_is_signed_for_its_account_and_audience(ask, staged, more):
    token = ask(f"{IDENTITY}?audience=https://other.example{more}")["body"]
    claims = jwt.decode(token, certs=_certificates(staged.tell("jwks")), audience="https://other.example")
    assert (claims["email"], claims["email_verified"]) == (ACCOUNT, True)
    assert claims["iss"] == "https://accounts.google.com"
    assert claims["exp"] - claims["iat"] == 3600


def test_the_keys_that_sign_are_published_to_instances(ask, staged):
    assert json.loads(ask("/oauth2/v3/certs")["body"]) == staged.tell("jwks")


def test_another_audience_or_a_changed_token_is_not_accepted(ask, staged):
    token = ask(f"{IDENTITY}?audience=https://other.example")["body"]
    certificates = _certificates(staged.tell("jwks"))
    with pytest.raises(ValueError, match="audience"):
        jwt.decode(token, certs=certificates, audience="https://mine.example")
    head, claims, signature = token.split(".")
    forged = base64.urlsafe_b64decode(claims + "==").replace(b"me@", b"us@")
    with pytest.raises(ValueError, match="signature"):
        jwt.decode(f"{head}.{base64.urlsafe_b64encode(forged).decode()}.{signature}", certs=certificates)


def test_an_identity_token_is_for_somebody(ask):
    answer = ask(IDENTITY)
    assert (answer["status"], answer["body"]) == (400, "non-empty audience parameter required\n")


def test_an_access_token_is_a_bearer_token_that_is_known_here(ask, staged):
    answer = ask(f"{ROOT}/instance/service-accounts/default/token")
    token = json.loads(answer["body"])
    assert token["token_type"] == "Bearer"
    assert 0 < token["expires_in"] <= 3600
    assert staged.tell("account_of", token["access_token"]) == ACCOUNT
    assert staged.tell("account_of", "ya29.made-up") is None


def _certificates(jwks):
    """Keys by their ids, in the form that google-auth verifies with."""
    return {key["kid"]: _pem(key) for key in jwks["keys"]}


def _pem(key):
    n, e = (int.from_bytes(base64.urlsafe_b64decode(key[name] + "=="), "big") for name in ("n", "e"))
    public = rsa.RSAPublicNumbers(e, n).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
