"""`pulumi up` that the cloud refuses, or that loses it: the reason in its words, nothing half known."""

import contextlib
import json
import socket
import threading
from importlib.metadata import version

import httpx
import pytest

from infra.engine.providers.gcp import client
from infra.engine.providers.gcp.configuration import PRODUCTS
from tests.integration.infra.engine.providers.gcp.conftest import PATHS
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving

pytestmark = pytest.mark.usefixtures("dev")
PROJECT = "shipway-refused"
SERVICES = f"/v2/projects/{PROJECT}/locations/europe-west1/services"
MADE = {"shop-dev", f"default_{version('pulumi-gcp').replace('.', '_')}"}
PROGRAM = """\
from pulumi_gcp import cloudrunv2

image = cloudrunv2.ServiceTemplateContainerArgs(image="host/app")
cloudrunv2.Service(
    "loans",
    name="loans",
    location="europe-west1",
    deletion_protection=False,
    template=cloudrunv2.ServiceTemplateArgs(containers=[image]),
)
"""


@pytest.fixture
def cloud(shell, tmp_path, monkeypatch):
    """Starts a local cloud that the engine finds, or another address that stands for it."""

    async def at_once(attempt, said):
        """Waiting is of no use here: nothing changes meanwhile."""

    monkeypatch.setattr(client, "_wait", at_once)
    shell.run("config", "set", "gcp:project", PROJECT)
    shell.program(PROGRAM)
    with contextlib.ExitStack() as open_clouds:

        def start(**options):
            front = MemoryFront()
            served = open_clouds.enter_context(serving(tmp_path / "cloud", MemoryFleet(), front, **options))
            reach(served.url)
            return served

        def reach(url):
            for name, path in PATHS.items():
                monkeypatch.setenv(PRODUCTS[name].variable, f"{url}/{path}")

        start.reach = reach
        yield start


def left(shell):
    """The names of the resources in the state, and what is pending."""
    latest = json.loads(shell.checkpoint().read_text(encoding="utf-8"))["checkpoint"]["latest"]
    pending = [each["type"] for each in latest.get("pending_operations") or ()]
    return {each["urn"].split("::")[-1] for each in latest.get("resources") or ()}, pending


def refused(shell):
    result = shell.result("up", "--yes", "--skip-preview")
    assert result.code == 1
    assert "Traceback" not in result.out + result.err
    return result.out


class Wire:
    """Passes connections on to ``port``, until the answer that starts a long-running operation comes.

    Which is still ``told``, or lost itself.
    """

    def __init__(self, port, told):
        self._told = told
        self._port = port
        self._lost = False
        self._changing = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open = []
        self._threads = []

    def __enter__(self):
        self._start(self._serve)
        return self

    def __exit__(self, *exception):
        self.lose()
        for each in self._threads:
            each.join()
        for each in (self._listener, *self._open):
            each.close()

    def _start(self, work, *arguments):
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._port))
                with self._changing:
                    self._open += [here, there]
                    if self._lost:
                        return
                    self._start(self._pass, here, there)
                    self._start(self._pass, there, here, here)

    def _pass(self, source, target, client=None):
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                starts = target is client and b"/operations/" in chunk
                if not starts or self._told:
                    target.sendall(chunk)
                if starts:
                    self.lose()
                    return
            target.shutdown(socket.SHUT_WR)

    def lose(self):
        """The network is gone: nothing is answered, and nobody listens, not even for the one in accept()."""
        with self._changing:
            self._lost = True
            for each in (self._listener, *self._open):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


def token_of_an_account(url):
    """A token of a service account that has no role."""
    with httpx.Client(base_url=url, timeout=30) as api:
        api.post(f"/v1/projects/{PROJECT}/serviceAccounts", json={"accountId": "runner"}).raise_for_status()
        account = f"runner@{PROJECT}.iam.gserviceaccount.com"
        scope = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
        made = api.post(f"/v1/projects/-/serviceAccounts/{account}:generateAccessToken", json=scope)
        return made.json()["accessToken"]


def test_an_account_is_told_which_permission_it_lacks(shell, cloud, monkeypatch):
    served = cloud()
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", token_of_an_account(served.url))
    said = refused(shell)
    assert "Error 403, PERMISSION_DENIED: Permission 'run.services.create' denied on resource" in said
    assert left(shell) == (MADE, [])


def test_a_quota_that_is_used_up_is_told_once_waiting_is_of_no_use(shell, cloud):
    served = cloud(quota_per_minute=1)
    httpx.get(f"{served.url}{SERVICES}").raise_for_status()
    assert "Error 429, RESOURCE_EXHAUSTED: " in refused(shell)
    assert left(shell)[1] == []


def test_an_api_that_is_not_enabled_is_told_with_what_enables_it(shell, cloud):
    cloud(strict=True)
    said = refused(shell)
    assert "Error 403, PERMISSION_DENIED: " in said
    assert "run.googleapis.com" in said
    assert left(shell)[1] == []


@pytest.mark.slow
@pytest.mark.parametrize("told", [True, False])
def test_a_network_lost_while_an_operation_runs_is_told_and_the_next_up_mends_it(shell, cloud, told):
    served = cloud()
    with Wire(int(served.url.rpartition(":")[2]), told) as wire:
        cloud.reach(wire.url)
        said = refused(shell)
    assert f"{'GET' if told else 'POST'} {wire.url}" in said
    assert left(shell) == (MADE | {"loans"}, []) if told else (MADE, ["creating"])
    cloud.reach(served.url)
    shell.run("up", "--yes", "--skip-preview")
    assert left(shell) == (MADE | {"loans"}, [])
    assert len(httpx.get(f"{served.url}{SERVICES}").json()["services"]) == 1
    shell.run("preview", "--expect-no-changes")
