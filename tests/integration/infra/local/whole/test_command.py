"""`python -m infra.local`: up, status, logs, down, and what can go wrong with them."""

import json
import re
import socket
import subprocess

import pytest
from google.cloud import run_v2

from tests.integration.infra.local import plain
from tests.integration.infra.local.whole.conftest import PARENT, ROOT, Whole, command, service


def run(*words, state):
    return subprocess.run(
        command(*words, "--state", str(state)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_up_prints_one_line_when_it_answers_and_ends_cleanly_on_sigterm(tmp_path):
    cloud = Whole(tmp_path)
    try:
        answer = plain.get(f"{cloud.addresses['endpoint']}/v2/{PARENT}/services")
        assert (answer.status_code, answer.json()) == (200, {})
    finally:
        cloud.stop()
    assert run("status", state=tmp_path).returncode == 3


@pytest.mark.slow
def test_addresses_stay_the_same_from_one_start_to_the_next(tmp_path):
    cloud = Whole(tmp_path)
    before = cloud.addresses
    cloud.stop()
    cloud.again()
    cloud.stop()
    assert {**cloud.addresses, "pid": 0} == {**before, "pid": 0}


@pytest.mark.slow
def test_up_in_the_background_returns_when_it_answers_and_finds_one_that_is_up(tmp_path):
    first = run("up", "--detach", "--json", state=tmp_path)
    try:
        assert first.returncode == 0, first.stderr
        again = run("up", "--detach", "--json", state=tmp_path)
        assert json.loads(again.stdout) == json.loads(first.stdout)
        assert json.loads(run("status", "--json", state=tmp_path).stdout)["services"] == []
    finally:
        down = run("down", state=tmp_path)
    assert down.returncode == 0
    assert down.stdout.startswith("Stopped; ")
    assert run("down", state=tmp_path).stdout.startswith("No local cloud serves from ")


def test_env_prints_the_variables_that_lead_providers_here(cloud, tmp_path):
    shell = f"eval '{run('env', state=cloud.state).stdout}'; echo $GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT"
    said = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{cloud.addresses['endpoint']}/v2/"
    assert run("env", state=tmp_path).returncode == 3


def test_a_second_cloud_over_one_folder_is_refused_and_told_who_is_there(cloud):
    refused = run("up", state=cloud.state)
    assert refused.returncode == 1
    assert f"(process {cloud.addresses['pid']})" in refused.stderr
    assert "python -m infra.local down" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("option", "how"),
    [
        ("--port", []),
        pytest.param("--front-port", [], marks=pytest.mark.slow),
        pytest.param("--registry-port", ["--detach"], marks=pytest.mark.slow),
    ],
)
def test_a_port_that_is_taken_is_named_with_the_option_that_moves_it(tmp_path, option, how):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run("up", *how, option, port, state=tmp_path)
    assert refused.returncode == 1
    assert f"port {port} is taken by another program" in refused.stderr
    assert option in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_state_of_another_version_is_refused_and_left_alone(tmp_path):
    (tmp_path / "cloud.db").write_bytes(b"something else entirely, but long enough to be a header" * 20)
    refused = run("up", state=tmp_path)
    assert refused.returncode == 1
    assert "cannot use the state in" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (tmp_path / "cloud.db").read_bytes().startswith(b"something else")


@pytest.fixture(scope="module")
def chatty(cloud, image):
    """A service that has printed something; its URL."""
    request = run_v2.CreateServiceRequest(parent=PARENT, service_id="chatty", service=service(image))
    made = cloud.clients().services.create_service(request).result(timeout=60)
    cloud.get(made.uri, "/print", method="POST", content=b"one thing")
    return made.uri


def test_logs_shows_what_a_service_printed_and_was_asked(cloud, chatty):
    shown = run("logs", "chatty", state=cloud.state)
    assert shown.returncode == 0, shown.stderr
    assert " one thing\n" in shown.stdout
    assert re.search(r"POST http://chatty-.*/print 200 ", shown.stdout)


@pytest.mark.slow
def test_logs_are_narrowed_by_name_and_by_a_filter(cloud, chatty):
    assert run("logs", "other", state=cloud.state).stdout == ""
    only = run("logs", "chatty", "--filter", 'textPayload:"thing"', "--json", state=cloud.state)
    assert "one thing" in [json.loads(line)["textPayload"] for line in only.stdout.splitlines()]
    bad = run("logs", "chatty", "--filter", "(((", state=cloud.state)
    assert bad.returncode == 1
    assert bad.stderr.startswith("infra.local: ")


@pytest.mark.slow
def test_logs_that_are_followed_go_on(cloud, chatty):
    with subprocess.Popen(
        [*command("logs", "chatty", "--follow"), "--state", str(cloud.state)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as following:
        assert next(each for each in following.stdout if "one thing" in each)
        cloud.get(chatty, "/print", method="POST", content=b"another thing")
        assert next(each for each in following.stdout if "another thing" in each)
        following.terminate()


def test_a_kernel_that_gives_no_network_is_told_of_in_one_line_with_the_remedy(tmp_path):
    words = command("up", "--state", str(tmp_path))
    none = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
    alone = ["unshare", "--user", "--map-root-user", "sh", "-c", none, "sh"]
    refused = subprocess.run(
        [*alone, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()
    assert line.startswith("infra.local: no network for instances (No space left on device): ")
    assert "user.max_net_namespaces" in line
