"""The smallest component: an API, a service, its traffic, its URL."""

import pulumi

from infra.components import SmallestService
from tests.unit.infra.program.mocks import IMAGE, run


def test_it_is_an_api_and_a_service_with_all_traffic_to_the_latest_revision():
    def program():
        hello = SmallestService("hello", image=IMAGE, location="europe-west1")
        pulumi.export("url", hello.service_url)

    recorder, outputs = run("test", program=program)
    assert outputs == {"url": "https://hello.run.app"}
    assert {kind for _, kind in recorder.resources} == {
        "shipway:infra:SmallestService",
        "gcp:projects/service:Service",
        "gcp:cloudrunv2/service:Service",
    }
    services = recorder.of("Service")
    assert services["hello-run-api"]["service"] == "run.googleapis.com"
    assert services["hello"]["traffics"] == [
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
    ]
