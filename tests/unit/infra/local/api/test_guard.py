"""What the guard lets through, and in which words it refuses the rest."""

import base64
import json

import pytest

from infra.local.api import rpcs
from infra.local.api.discovery import methods
from infra.local.api.errors import ApiError
from infra.local.api.guard import Gate, Rules

SERVICES = {rpc.method: rpc for rpc in rpcs("google.cloud.run_v2") if rpc.service.endswith(".Services")}
CREATE = SERVICES["CreateService"]
PATH = {"parent": "projects/shipway-test/locations/europe-west1"}
ACCOUNT = "app@shipway-test.iam.gserviceaccount.com"
GOOD = "Bearer ya29.local-good"


class Tokens:
    def account_of(self, token):
        return ACCOUNT if token == "ya29.local-good" else None

    def jwks(self):
        return {"keys": [{"kid": "ours"}]}


def gate(allowed=lambda *_: True, usable=lambda *_: True, **options):
    rules = Rules(lambda _rpc: "run.services.create", allowed, usable, lambda _project: "7", str.upper)
    return Gate(Tokens(), rules, **options)


def refused(guard, authorization=None, rpc=CREATE, path=PATH):
    with pytest.raises(ApiError) as caught:
        guard(rpc, dict(path), authorization)
    return caught.value


def jwt(header):
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"Bearer {head}.e30.c2ln"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer ya29.of-google",
        "Basic YTpi",
        jwt({"kid": "theirs"}),
        jwt([]),
        "Bearer a.b.c",
        "Bearer",
    ],
)
def test_a_caller_that_this_cloud_does_not_know_is_the_owner(authorization):
    gate(allowed=lambda *_: False)(CREATE, dict(PATH), authorization)


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("Bearer ya29.local-forged", "ACCESS_TOKEN_EXPIRED"),
        ("bearer  ya29.local-forged", "ACCESS_TOKEN_EXPIRED"),
        (jwt({"kid": "ours"}), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ],
)
def test_a_token_of_this_cloud_that_is_not_good_is_refused(authorization, reason):
    error = refused(gate(), authorization)
    assert (error.http, error.code) == (401, "UNAUTHENTICATED")
    assert error.message.startswith("Request had invalid authentication credentials.")
    assert error.details[0]["reason"] == reason


def test_an_account_may_do_what_its_roles_say():
    asked = []

    def allowed(*question):
        asked.append(question)
        return len(asked) == 1

    guard = gate(allowed=allowed)
    guard(CREATE, dict(PATH), GOOD)
    error = refused(guard, GOOD)
    assert asked == [(ACCOUNT, "run.services.create", PATH["parent"])] * 2
    assert (error.http, error.code) == (403, "PERMISSION_DENIED")
    assert error.message == (
        f"Permission 'run.services.create' denied on resource '{PATH['parent']}' (or it may not exist)."
    )
    assert error.details[0]["reason"] == "IAM_PERMISSION_DENIED"
    assert error.details[0]["domain"] == "iam.googleapis.com"


def test_what_names_no_project_is_asked_for_in_the_callers():
    asked = []
    guard = gate(allowed=lambda *question: asked.append(question) or True)
    by_name = {method.full_name: method for method in methods("iam", "v1")}
    guard(by_name["iam.v1.roles.list"], {}, GOOD)
    name = f"projects/-/serviceAccounts/{ACCOUNT}"
    guard(by_name["iam.v1.projects.serviceAccounts.get"], {"name": name}, GOOD)
    assert [where for _, _, where in asked] == [
        "projects/shipway-test",
        f"projects/shipway-test/serviceAccounts/{ACCOUNT}",
    ]


def test_an_api_that_is_not_enabled_is_named_with_the_way_to_enable_it():
    error = refused(gate(usable=lambda project, service: (project, service) == ("x", "y")))
    info, links = error.details
    assert error.http == 403
    assert (info["reason"], info["metadata"]["consumer"]) == ("SERVICE_DISABLED", "projects/7")
    assert error.message.startswith("RUN.GOOGLEAPIS.COM has not been used in project 7 before")
    assert links["links"][0]["url"] in error.message


def test_a_projects_quota_is_of_a_minute():
    time = [100.0]
    guard = gate(per_minute=2, clock=lambda: time[0])
    for _ in range(2):
        guard(CREATE, dict(PATH), None)
    time[0] += 48
    error = refused(guard)
    assert (error.http, error.code) == (429, "RESOURCE_EXHAUSTED")
    info, failure, retry = error.details
    assert (info["reason"], info["metadata"]["quota_limit_value"]) == ("RATE_LIMIT_EXCEEDED", "2")
    assert failure["violations"][0]["subject"] == "project_number:7"
    assert retry["retryDelay"] == "12s"
    time[0] += 12
    guard(CREATE, dict(PATH), None)


def test_each_api_has_a_quota_of_its_own():
    guard = gate(per_minute=1)
    guard(CREATE, dict(PATH), None)
    usage = {method.full_name: method for method in methods("serviceusage", "v1")}
    guard(usage["serviceusage.v1.services.list"], {"parent": "projects/shipway-test"}, None)
    refused(guard)
