"""A hundred services with three revisions each, and how long it takes to list them."""

import time

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2

from tests.integration.infra.local import plain
from tests.integration.infra.local.conftest import PARENT

EXPECTED = {"services": 100, "services/-/revisions": 300}


def gather(url):
    """Deploy them all."""
    client = run_v2.ServicesClient(
        transport="rest",
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=url),
    )
    for number in range(100):
        name = f"{PARENT}/services/s{number}"
        for value in "123":
            container = run_v2.Container(image="localhost/app", env=[run_v2.EnvVar(name="A", value=value)])
            wanted = run_v2.Service(name=name, template=run_v2.RevisionTemplate(containers=[container]))
            client.update_service(run_v2.UpdateServiceRequest(service=wanted, allow_missing=True))


def listed(url, what):
    """Seconds that a list takes."""
    with plain.Client() as http:
        http.get(f"{url}/v2/{PARENT}/jobs")  # the connection is there
        began = time.perf_counter()
        answer = http.get(f"{url}/v2/{PARENT}/{what}?pageSize=1000")
        taken = time.perf_counter() - began
    assert len(answer.json()[what.rpartition("/")[2]]) == EXPECTED[what]
    return taken
