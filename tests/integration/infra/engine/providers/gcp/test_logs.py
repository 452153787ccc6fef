"""What a service wrote is read from Cloud Logging, in order and from a moment on."""

from infra.engine.providers.gcp.logs import Source, entries
from tests.integration.infra.engine.providers.gcp.conftest import PROJECT, SERVICE, configuration

RUN = Source(SERVICE, PROJECT, "loans")


def write(api, name, *entries):
    body = {
        "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2Fstdout",
        "resource": {
            "type": "cloud_run_revision",
            "labels": {"service_name": name, "project_id": PROJECT, "location": "europe-west1"},
        },
        "entries": list(entries),
    }
    api.post("/v2/entries:write", json=body).raise_for_status()


async def read(cloud, since):
    return [entry async for entry in entries(configuration(cloud.url), RUN, since)]


async def test_a_service_s_lines_are_read_in_order_from_a_moment_on(cloud, api):
    write(
        api,
        "loans",
        {"timestamp": "2026-01-01T10:00:00Z", "insertId": "a", "textPayload": "before"},
        {"timestamp": "2026-01-01T12:00:02Z", "insertId": "c", "jsonPayload": {"message": "second"}},
        {"timestamp": "2026-01-01T12:00:01Z", "insertId": "b", "textPayload": "first"},
    )
    write(api, "other", {"timestamp": "2026-01-01T12:00:01Z", "insertId": "d", "textPayload": "not ours"})
    found = await read(cloud, "2026-01-01T12:00:00Z")
    assert [(each.id, each.message) for each in found] == [("b", "first"), ("c", "second")]
    assert {each.source for each in found} == {"loans"}
