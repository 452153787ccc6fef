"""Alert policies: stored, evaluated, told of."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from googleapiclient.errors import HttpError

from infra.local.control.logging.query import Query
from tests.integration.infra.local.monitoring.conftest import OTHER, PROJECT, text

ERRORS = 'metric.type="run.googleapis.com/request_count" resource.type="cloud_run_revision"'
LATENCY = 'metric.type="run.googleapis.com/request_latencies" resource.type="cloud_run_revision"'
FIVES = f'{ERRORS} metric.labels.response_code_class="5xx"'


def threshold(query=FIVES, value=0.1, aligner="ALIGN_RATE", **more):
    how = {"alignmentPeriod": "60s", "perSeriesAligner": aligner}
    rule = {
        "filter": query,
        "comparison": "COMPARISON_GT",
        "thresholdValue": value,
        "duration": "0s",
        "aggregations": [how],
        **more,
    }
    return {"displayName": "Errors", "conditionThreshold": rule}


def policy(*conditions, **more):
    return {
        "displayName": "It is broken",
        "combiner": "OR",
        "conditions": list(conditions or [threshold()]),
        **more,
    }


@pytest.fixture
def create(api):
    def make(*conditions, **more):
        return api.alertPolicies().create(name=PROJECT, body=policy(*conditions, **more)).execute()

    return make


def test_a_policy_is_stored_with_names_for_its_conditions(api, create):
    made = create(
        userLabels={"team": "ml"}, documentation={"content": "Read this", "mimeType": "text/markdown"}
    )
    assert made["name"].startswith(f"{PROJECT}/alertPolicies/")
    assert made["conditions"][0]["name"].startswith(f"{made['name']}/conditions/")
    assert made["enabled"] is True
    assert made["creationRecord"]["mutateTime"]
    assert api.alertPolicies().get(name=made["name"]).execute() == made
    listed = api.alertPolicies().list(name=PROJECT).execute()
    assert listed == {"alertPolicies": [made], "totalSize": 1}


def test_a_policy_changes_by_its_mask(api, create):
    made = create()
    body = {"displayName": "Other", "enabled": False}
    changed = api.alertPolicies().patch(name=made["name"], body=body, updateMask="display_name").execute()
    assert (changed["displayName"], changed["enabled"]) == ("Other", True)
    assert changed["conditions"] == made["conditions"]
    changed = api.alertPolicies().patch(name=made["name"], body=body, updateMask="enabled").execute()
    assert changed["enabled"] is False


def test_a_deleted_policy_is_gone(api, create):
    made = create()
    api.alertPolicies().delete(name=made["name"]).execute()
    with pytest.raises(HttpError, match="Could not find alert policy") as refused:
        api.alertPolicies().get(name=made["name"]).execute()
    assert refused.value.status_code == 404


@pytest.mark.parametrize(
    ("body", "says"),
    [(policy(displayName=""), "display_name"),
     (policy(combiner="COMBINE_UNSPECIFIED"), "combiner"),
     ({**policy(), "conditions": []}, "1 to 6 conditions"),
     (policy({"displayName": "x"}), "exactly one type"),
     (policy(threshold("")), "must have a metric.type"),
     (policy(threshold(comparison="COMPARISON_EQ")), "COMPARISON_GT or COMPARISON_LT"),
     (policy(threshold(duration="90s")), "multiple of 60 seconds"),
     (policy(threshold(aggregations=[{"perSeriesAligner": "ALIGN_RATE"}])), "alignment period"),
     (policy(notificationChannels=[f"{PROJECT}/notificationChannels/1"]), "does not exist")],
)  # fmt: skip
def test_a_policy_that_cannot_be_is_refused(api, body, says):
    with pytest.raises(HttpError, match=says) as refused:
        api.alertPolicies().create(name=PROJECT, body=body).execute()
    assert refused.value.status_code == 400


def test_a_condition_that_is_not_evaluated_says_so(create):
    made = create({"displayName": "Log", "conditionMatchedLog": {"filter": "severity>=ERROR"}})
    assert "not evaluated by the local cloud" in made["validity"]["message"]


def test_an_incident_opens_and_closes(create, traffic, clock, evaluate, cloud):
    create(severity="CRITICAL")
    traffic(count=100)
    assert evaluate() == []
    traffic(status=500, count=60)
    (incident,) = evaluate()
    assert (incident.name, incident.condition, incident.severity) == ("It is broken", "Errors", "CRITICAL")
    assert incident.value == pytest.approx(1)
    assert not incident.ended
    assert "above the threshold of 0.1" in incident.summary
    assert "revision_name=hello-00001-abc" in incident.summary
    assert evaluate() == [incident]
    clock.now += 180
    (incident,) = evaluate()
    assert incident.ended == clock.now
    logged = list(cloud.cloud.logs.all(["shipway-test"], Query('logName:"Violation"')))
    assert [entry["severity"] for entry in logged] == ["ERROR", "NOTICE"]
    assert logged[0]["jsonPayload"]["incident"]["state"] == "open"


def test_a_threshold_has_to_be_crossed_for_its_duration(create, traffic, clock, evaluate):
    create(threshold(duration="180s"))
    for minute in range(4):
        traffic(status=500, count=60)
        found = evaluate()
        assert bool(found) == (minute >= 2), minute
        clock.now += 60


def test_a_percentile_is_watched(create, traffic, evaluate):
    create(threshold(LATENCY, 500, "ALIGN_PERCENTILE_99"))
    traffic(count=100, seconds=0.05)
    assert not evaluate()
    traffic(count=5, seconds=3.0)
    assert evaluate()


def test_a_ratio_is_watched(create, traffic, evaluate):
    how = [{"alignmentPeriod": "60s", "perSeriesAligner": "ALIGN_RATE", "crossSeriesReducer": "REDUCE_SUM"}]
    create(threshold(value=0.05, aggregations=how, denominatorFilter=ERRORS, denominatorAggregations=how))
    traffic(count=97)
    traffic(status=500, count=3)
    assert not evaluate()
    traffic(OTHER, status=503, count=10)
    (incident,) = evaluate()
    assert incident.value == pytest.approx(13 / 110)


def test_all_conditions_are_needed_by_and(create, traffic, evaluate):
    create(threshold(), threshold(LATENCY, 500, "ALIGN_PERCENTILE_99"), combiner="AND")
    traffic(status=500)
    assert not evaluate()
    traffic(count=50, seconds=3)
    assert evaluate()


def test_a_disabled_policy_is_quiet(create, traffic, evaluate):
    create(enabled=False)
    traffic(status=500)
    assert not evaluate()


def test_a_metric_of_the_programs_own_is_watched(api, create, evaluate, clock):
    clock.now = time.time()
    query = 'metric.type="custom.googleapis.com/drift" resource.type="global"'
    create(threshold(query, 0.2, "ALIGN_MEAN"))
    assert not evaluate()
    series = {
        "metric": {"type": "custom.googleapis.com/drift"},
        "resource": {"type": "global"},
        "points": [{"interval": {"endTime": text(clock.now - 1)}, "value": {"doubleValue": 0.31}}],
    }
    api.timeSeries().create(name=PROJECT, body={"timeSeries": [series]}).execute()
    (incident,) = evaluate()
    assert incident.value == pytest.approx(0.31)
    clock.now += 120
    assert evaluate()[0].ended


@pytest.fixture
def hooked(api):
    """A channel that calls a server on this machine, and the notifications that it got."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/hook"
        yield channel(api, "webhook_tokenauth", url=url)["name"], got
        server.shutdown()
        thread.join()


def channel(api, kind, **labels):
    body = {"type": kind, "displayName": kind, "labels": labels}
    return api.notificationChannels().create(name=PROJECT, body=body).execute()


def test_a_webhook_on_this_machine_is_called(hooked, create, traffic, evaluate, clock):
    name, got = hooked
    create(notificationChannels=[name])
    traffic(status=500)
    evaluate()
    clock.now += 180
    evaluate()
    assert [each["incident"]["state"] for each in got] == ["open", "closed"]
    assert got[0]["incident"]["policy_name"] == "It is broken"


def test_other_channels_and_broken_ones_are_logged(api, create, traffic, evaluate, cloud):
    names = [
        channel(api, "email", email_address="ml@example.com")["name"],
        channel(api, "webhook_tokenauth", url="http://127.0.0.1:9/hook")["name"],
    ]
    create(notificationChannels=names)
    traffic(status=500)
    assert evaluate()
    logged = list(cloud.cloud.logs.all(["shipway-test"], Query('logName:"Notification"')))
    said = [entry["labels"]["verbose_message"] for entry in logged]
    assert said[0] == "email to ml@example.com is not sent from here"
    assert said[1].startswith("the webhook http://127.0.0.1:9/hook failed")


def test_channels_are_kept_changed_and_deleted(api, create):
    made = channel(api, "email", email_address="a@example.com")
    changed = api.notificationChannels().patch(
        name=made["name"], body={"displayName": "On call"}, updateMask="displayName"
    ).execute()  # fmt: skip
    assert (changed["displayName"], changed["labels"]) == ("On call", {"email_address": "a@example.com"})
    assert api.notificationChannels().list(name=PROJECT).execute()["notificationChannels"] == [changed]
    policy_name = create(notificationChannels=[made["name"]])["name"]
    with pytest.raises(HttpError, match="in use"):
        api.notificationChannels().delete(name=made["name"]).execute()
    api.notificationChannels().delete(name=made["name"], force=True).execute()
    assert not api.alertPolicies().get(name=policy_name).execute().get("notificationChannels")


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("email", {}), ("email", {"email_address": "nobody"}), ("webhook_tokenauth", {"url": "ftp://x"}),
     ("carrier_pigeon", {})],
)  # fmt: skip
def test_a_channel_that_cannot_be_is_refused(api, kind, labels):
    with pytest.raises(HttpError) as refused:
        channel(api, kind, **labels)
    assert refused.value.status_code == 400


def test_uptime_checks_are_refused_by_name(api):
    with pytest.raises(HttpError, match=r"uptimeCheckConfigs\.create is not served"):
        api.uptimeCheckConfigs().create(parent=PROJECT, body={}).execute()
