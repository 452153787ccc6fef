"""Requests: what is tried again and what isn't, operations followed, credentials, endpoints."""

import json
import os
import subprocess

import httpx
import pytest

from infra.engine.providers.contract import ProviderError
from infra.engine.providers.gcp import client as module
from infra.engine.providers.gcp.client import Client, GoogleError, LostError, Request
from infra.engine.providers.gcp.configuration import Configuration, failures

LOCAL = {"cloudRunV2CustomEndpoint": "http://cloud.test/v2"}
GET, POST = Request("cloudRunV2", "GET", "things"), Request("cloudRunV2", "POST", "things", {})


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Waits are recorded instead of waited."""
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr(module.anyio, "sleep", sleep)
    return waits


def speaking(*answers, inputs=LOCAL, environment=None):
    """A client whose network gives these answers in turn, and the requests that it sent."""
    left, sent = list(answers), []

    def answer(request):
        sent.append(request)
        now = left.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    configuration = Configuration.read(inputs, environment or {})
    return Client(configuration, httpx.MockTransport(answer)), sent


def status(code, **more):
    return httpx.Response(code, json={"error": {"code": code, "message": "no", "status": "WHY"}}, **more)


OK = httpx.Response(200, json={"fine": True})


@pytest.mark.parametrize("code", [429, 502, 503, 504])
async def test_what_means_later_is_tried_again_with_longer_and_longer_waits(code, hurried):
    client, sent = speaking(status(code), status(code), status(code), OK)
    assert await client.call(POST) == {"fine": True}
    assert len(sent) == 4
    assert hurried[0] < hurried[1] < hurried[2]


async def test_it_waits_as_long_as_the_server_said(hurried):
    client, _ = speaking(status(429, headers={"Retry-After": "7"}), OK)
    await client.call(POST)
    assert 5 <= hurried[0] <= 9


async def test_it_gives_up_with_googles_words():
    client, sent = speaking(*[status(429)] * 20)
    with pytest.raises(GoogleError, match="Error 429, WHY: no"):
        await client.call(POST)
    assert len(sent) == module.ATTEMPTS


async def test_a_connection_that_could_not_be_made_is_made_again():
    client, sent = speaking(httpx.ConnectError("refused"), OK)
    await client.call(POST)
    assert len(sent) == 2


async def test_a_connection_lost_in_the_middle_is_for_reading_alone():
    client, sent = speaking(httpx.ReadError("reset"), OK)
    await client.call(GET)
    assert len(sent) == 2
    client, sent = speaking(httpx.ReadError("reset"), OK)
    with pytest.raises(LostError, match=r"POST http://cloud.test/v2/things: reset"):
        await client.call(POST)
    assert len(sent) == 1


async def test_an_operation_is_followed_over_a_network_that_goes_and_comes_back():
    running = {"name": "projects/p/locations/l/operations/o"}
    done = httpx.Response(200, json={**running, "done": True, "response": {"made": 1}})
    client, sent = speaking(httpx.Response(200, json=running), httpx.ReadError("reset"), status(503), done)
    assert await client.finished("cloudRunV2", running, 60) == {"made": 1}
    assert {str(request.url) for request in sent} == {
        "http://cloud.test/v2/projects/p/locations/l/operations/o"
    }


async def test_what_an_operation_came_to_is_an_error_of_its_own():
    client, _ = speaking()
    failed = {"name": "o", "done": True, "error": {"code": 9, "message": "The revision is not ready."}}
    with pytest.raises(
        GoogleError, match=r"Error 400, FAILED_PRECONDITION: The revision is not ready\."
    ) as caught:
        await client.finished("cloudRunV2", failed, 60)
    assert caught.value.operation


async def test_the_end_of_a_containers_log_is_told_with_what_an_operation_came_to():
    detail = {
        "@type": "type.googleapis.com/google.rpc.DebugInfo",
        "detail": "reading the model\nno such file\n",
    }
    failed = {"done": True, "error": {"code": 13, "message": "not ready", "details": [detail]}}
    with pytest.raises(GoogleError) as told:
        await speaking()[0].finished("cloudRunV2", failed, 60)
    assert str(told.value).endswith("not ready\nThe end of its log:\nreading the model\nno such file")


async def test_violations_are_told_with_their_fields():
    detail = {"fieldViolations": [{"field": "service.traffic", "description": "must add up to 100"}]}
    error = {"code": 400, "message": "Bad", "status": "INVALID_ARGUMENT", "details": [detail]}
    client, _ = speaking(httpx.Response(400, json={"error": error}))
    with pytest.raises(GoogleError, match=r"Bad; service.traffic: must add up to 100"):
        await client.call(POST)


async def test_an_answer_that_is_not_json_is_shown():
    client, _ = speaking(httpx.Response(404, text="<html>no such page</html>"))
    with pytest.raises(GoogleError, match=r"Error 404: <html>no such page"):
        await client.call(GET)


async def test_a_custom_endpoint_is_called_without_credentials_unless_some_are_given():
    client, sent = speaking(OK)
    await client.call(GET)
    assert "Authorization" not in sent[0].headers
    client, sent = speaking(OK, environment={"GOOGLE_OAUTH_ACCESS_TOKEN": "a-token"})
    await client.call(GET)
    assert sent[0].headers["Authorization"] == "Bearer a-token"


async def test_google_is_not_called_without_credentials(tmp_path):
    client, sent = speaking(inputs={"credentials": str(tmp_path / "none.json")})
    with pytest.raises(
        ProviderError, match=r"no usable Google credentials: .* Set GOOGLE_OAUTH_ACCESS_TOKEN"
    ):
        await client.call(GET)
    assert sent == []


def test_endpoints_come_from_the_configuration_then_the_environment_then_google():
    variables = {"GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT": "http://variable/v2/", "GOOGLE_PROJECT": "p"}
    assert Configuration.read({}, variables).endpoints["cloudRunV2"].url == "http://variable/v2/"
    assert Configuration.read(LOCAL, variables).endpoints["cloudRunV2"].url == "http://cloud.test/v2/"
    assert Configuration.read({}, {}).endpoints["cloudRunV2"].url == "https://run.googleapis.com/v2/"
    assert Configuration.read({}, variables).project == "p"


@pytest.fixture
def nearby(tmp_path):
    """An environment in which a cloud serves on this machine: this very process, as far as can be told."""
    record = {"pid": os.getpid(), "endpoint": "http://127.0.0.1:8780"}
    (tmp_path / "endpoint.json").write_text(json.dumps(record))
    return {"SHIPWAY_CLOUD_STATE": str(tmp_path), "HOME": str(tmp_path)}


def run_at(environment, **inputs):
    return Configuration.read(inputs, environment).endpoints["cloudRunV2"]


def test_the_cloud_on_this_machine_is_used_where_nothing_says_how_to_reach_google(nearby, tmp_path):
    assert run_at(nearby).url == "http://127.0.0.1:8780/v2/"
    assert run_at(nearby).custom
    assert Configuration.read({}, nearby).endpoints["monitoring"].url == "http://127.0.0.1:8780/v3/"
    google = "https://run.googleapis.com/v2/"
    assert run_at(nearby, accessToken="a-token").url == google
    assert run_at(nearby | {"GOOGLE_APPLICATION_CREDENTIALS": "key.json"}).url == google
    elsewhere = {"GOOGLE_IAM_CUSTOM_ENDPOINT": "http://elsewhere/"}
    assert run_at(nearby | elsewhere).url == google
    (tmp_path / ".config" / "gcloud").mkdir(parents=True)
    (tmp_path / ".config" / "gcloud" / "application_default_credentials.json").write_text("{}")
    assert run_at(nearby).url == google


def test_a_cloud_that_was_killed_is_not_waited_for(nearby, tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / "endpoint.json").write_text(
        json.dumps({"pid": gone.pid, "endpoint": "http://127.0.0.1:8780"})
    )
    assert not run_at(nearby).custom


def test_a_key_that_there_is_not_is_refused_and_one_that_says_who_calls_is_never_passed_over():
    assert list(failures({**LOCAL, "project": "p", "version": "10.2.0"}, {})) == []
    (unknown,) = failures({"projct": "p"}, {})
    assert "Invalid or unknown key. Check `pulumi config get gcp:projct`." in unknown.reason
    (configured,) = failures({"impersonateServiceAccount": "a@b"}, {})
    assert configured.reason.startswith("gcp:impersonateServiceAccount is not served")
    (inherited,) = failures({}, {"GOOGLE_IMPERSONATE_SERVICE_ACCOUNT": "a@b"})
    assert inherited.reason.startswith("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT is not served")


def test_secrets_of_the_configuration_are_not_in_its_text():
    shown = repr(Configuration.read({"accessToken": "hunter2", "credentials": "hunter3"}, {}))
    assert "hunter" not in shown


def test_default_labels_and_the_attribution_are_json_in_text():
    inputs = {"defaultLabels": '{"team": "loans"}', "addPulumiAttributionLabel": "false"}
    assert Configuration.read(inputs, {}).labels == {"team": "loans"}
    assert Configuration.read({}, {}).labels == {"goog-pulumi-provisioned": "true"}
