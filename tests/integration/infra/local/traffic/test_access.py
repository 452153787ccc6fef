"""Who may reach a service: ingress settings, and identity tokens of those who have roles/run.invoker."""

import base64
import json
import time

import pytest
from google.auth import crypt, jwt

from infra.local.runtime.metadata import Identity
from infra.local.traffic import Invokers

HOST = "web.localhost"
AUDIENCE = f"https://{HOST}"
ROBOT = "robot@acme.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    made = Identity(tmp_path_factory.mktemp("identity") / "key.pem")
    made.jwks()
    return made


@pytest.fixture
def members():
    return set()


@pytest.fixture
def served(stage, instance, identity, members):
    stage.route(allowed=Invokers(identity.jwks, lambda _host: members))
    return stage


def ask(stage, token=None, name="authorization", **how):
    headers = {} if token is None else {name: f"Bearer {token}"}
    return stage.get(headers=headers, **how)


def test_a_service_that_is_not_public_is_403_in_googles_words(served, instance):
    answer = served.get("/secret?x=1")
    assert answer.status_code == 403
    assert "<title>403 Forbidden</title>" in answer.text
    assert (
        "Your client does not have permission to get URL <code>/secret</code> from this server."
        in answer.text
    )
    assert not instance.heads


def test_a_public_service_lets_all_in(served, members):
    members.add("allUsers")
    assert served.get().status_code == 200
    assert ask(served, "whatever").status_code == 200


def test_a_token_of_an_invoker_is_let_in(served, members, identity):
    members.add(f"serviceAccount:{ROBOT}")
    assert ask(served, identity.id_token(ROBOT, AUDIENCE)).status_code == 200
    assert ask(served, identity.id_token(ROBOT, f"http://{HOST}:{served.port}/x")).status_code == 200


def test_a_token_of_another_account_is_403(served, members, identity):
    members.add(f"serviceAccount:{ROBOT}")
    assert ask(served, identity.id_token("other@acme.iam.gserviceaccount.com", AUDIENCE)).status_code == 403


def test_any_account_is_let_in_where_all_authenticated_are(served, members, identity):
    members.add("allAuthenticatedUsers")
    assert ask(served, identity.id_token("other@acme.iam.gserviceaccount.com", AUDIENCE)).status_code == 200
    assert served.get().status_code == 403


def test_a_change_of_the_policy_holds_from_the_next_request(served, members, identity):
    token = identity.id_token(ROBOT, AUDIENCE)
    assert ask(served, token).status_code == 403
    members.add(f"serviceAccount:{ROBOT}")
    assert ask(served, token).status_code == 200
    members.clear()
    assert ask(served, token).status_code == 403


def signed(identity, *, header=None, key_id=None, **claims):
    now = int(time.time())
    whole = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "email": ROBOT,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
        **claims,
    }
    signer = crypt.RSASigner(identity._key, key_id or identity._id)
    return jwt.encode(signer, {k: v for k, v in whole.items() if v is not None}, header=header).decode()


def tampered(token):
    head, claims, signature = token.split(".")
    inside = json.loads(base64.urlsafe_b64decode(claims + "=="))
    inside["email"] = ROBOT
    claims = base64.urlsafe_b64encode(json.dumps(inside).encode()).rstrip(b"=").decode()
    return f"{head}.{claims}.{signature}"


def unsigned(token):
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


BAD = {
    "of another audience": lambda identity: signed(identity, aud="https://other.localhost"),
    "that is over": lambda identity: signed(identity, exp=int(time.time()) - 60),
    "that is to come": lambda identity: signed(identity, iat=int(time.time()) + 600),
    "without an end": lambda identity: signed(identity, exp=None),
    "of another issuer": lambda identity: signed(identity, iss="https://evil.example"),
    "with other claims": lambda identity: tampered(
        identity.id_token("x@acme.iam.gserviceaccount.com", AUDIENCE)
    ),
    "without a signature": lambda identity: unsigned(identity.id_token(ROBOT, AUDIENCE)),
    "of an unknown key": lambda identity: signed(identity, key_id="other"),
    "with a shared secret": lambda identity: signed(identity, header={"alg": "HS256"}),
    "that is none": lambda _: "ya29.access-token",
    "of dots": lambda _: "..",
    "of lists": lambda _: "W10.W10.W10",
    "of half a byte": lambda _: "A.A.A",
    "that is endless": lambda _: "a." * 20_000,
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_a_token_that_nobody_issued_is_401(served, members, identity, instance, make):
    members |= {f"serviceAccount:{ROBOT}", "allAuthenticatedUsers"}
    answer = ask(served, make(identity))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert not instance.heads


def test_an_email_that_was_not_verified_is_nobodys(served, members, identity):
    members.add(f"serviceAccount:{ROBOT}")
    assert ask(served, signed(identity, email_verified=False)).status_code == 403


def test_an_instance_does_not_get_the_signature(served, members, identity, instance):
    members.add(f"serviceAccount:{ROBOT}")
    token = identity.id_token(ROBOT, AUDIENCE)
    ask(served, token)
    body = token.rpartition(".")[0]
    assert f"authorization: Bearer {body}.SIGNATURE_REMOVED_BY_GOOGLE\r\n".encode() in instance.heads[-1]


@pytest.mark.parametrize("name", ["authorization", "x-serverless-authorization"])
def test_a_token_that_nobody_asked_for_is_the_instances_own(served, members, identity, instance, name):
    members.add("allUsers")
    token = identity.id_token(ROBOT, "somebody else")
    assert ask(served, token, name).status_code == 200
    assert (token.encode() in instance.heads[-1]) == (name == "authorization")


def test_a_token_for_the_service_is_good_for_its_tags(stage, instance, identity):
    stage.route(
        tags={"blue": "web-1"}, allowed=Invokers(identity.jwks, lambda _: [f"serviceAccount:{ROBOT}"])
    )
    token = identity.id_token(ROBOT, AUDIENCE)
    assert ask(stage, token, host="blue---web.localhost").status_code == 200
    assert ask(stage, host="blue---web.localhost").status_code == 403


def test_a_token_beside_a_clients_own_is_asked_first(served, members, identity, instance):
    members.add(f"serviceAccount:{ROBOT}")
    token = identity.id_token(ROBOT, AUDIENCE)
    headers = {"authorization": "Bearer mine.and.mine", "x-serverless-authorization": f"Bearer {token}"}
    assert served.get(headers=headers).status_code == 200
    assert b"authorization: Bearer mine.and.mine\r\n" in instance.heads[-1]
    assert b".SIGNATURE_REMOVED_BY_GOOGLE" in instance.heads[-1]
    assert token.encode() not in instance.heads[-1]


def test_a_custom_audience_is_one_too(stage, instance, identity):
    stage.route(
        allowed=Invokers(identity.jwks, lambda _: [f"serviceAccount:{ROBOT}"], lambda _: ["my-service"])
    )
    assert ask(stage, identity.id_token(ROBOT, "my-service")).status_code == 200
    assert ask(stage, identity.id_token(ROBOT, "other-service")).status_code == 401


def test_a_token_for_another_host_of_the_service_is_good(stage, instance, identity):
    stage.route(
        allowed=Invokers(identity.jwks, lambda _: [f"serviceAccount:{ROBOT}"], lambda _: ["other.localhost"])
    )
    assert ask(stage, identity.id_token(ROBOT, "https://other.localhost:80/x")).status_code == 200


def test_a_refused_request_is_logged_and_not_counted(served):
    served.get()
    entry = served.logged()
    assert (entry.severity, entry.payload["httpRequest"]["status"]) == ("WARNING", 403)
    assert "not authenticated" in entry.text
    assert served.front.metrics.series("run.googleapis.com/request_count", 0, time.time() + 60) == []


def test_an_internal_service_is_404_for_those_outside(stage, instance):
    stage.route(internal=True)
    answer = stage.get()
    assert answer.status_code == 404
    assert "That\u2019s an error." in answer.text
    assert not instance.heads
    assert stage.get(port=stage.front.internal_port).text == "hello\n"


def test_a_tag_has_the_access_of_its_service(stage, instance):
    stage.route(tags={"blue": "web-1"}, internal=True)
    assert stage.get(host="blue---web.localhost").status_code == 404
    assert stage.get(host="blue---web.localhost", port=stage.front.internal_port).status_code == 200


def test_a_service_for_all_is_reached_from_within_too(stage, instance):
    assert stage.get(port=stage.front.internal_port).text == "hello\n"
