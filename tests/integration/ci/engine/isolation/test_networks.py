"""Who reaches whom: a step the outside and the services it is bound to, and nobody else."""

import contextlib
import http.server
import json
import socket
import threading

import pytest

WEB = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8000, bind='0.0.0.0')"
ADDRESS = "import socket; print(socket.gethostbyname('www'))"
REACH = "import socket; socket.create_connection(({host!r}, {port}), timeout=3); print('reached')"


@pytest.fixture(scope="module")
def one(open_session):
    return open_session()


@pytest.fixture(scope="module")
def web(one):
    """A service, and where those who are bound to it find it."""
    identity = one.service(WEB, 8000)
    binding = f'withServiceBinding(alias: "www", service: {json.dumps(identity)})'
    code, address, stderr = one.run(ADDRESS, binding)
    assert (code, stderr) == (0, "")
    return binding, address.strip()


@pytest.fixture(scope="module")
def outside():
    """A server at an address of this host's that is not its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.77", 9))
        except OSError:
            pytest.skip("this host has no address but its loopback's, so there is no outside")
        host = probe.getsockname()[0]
    with serving(host) as port:
        yield host, port


@contextlib.contextmanager
def serving(host):
    with http.server.ThreadingHTTPServer((host, 0), http.server.SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_step_reaches_the_service_it_is_bound_to_and_that_has_a_network_of_its_own(one, web):
    binding, address = web
    assert one.run(REACH.format(host="www", port=8000), binding)[:2] == (0, "reached\n")
    assert address.startswith("253.")


def test_a_step_that_is_not_bound_reaches_it_neither_by_name_nor_by_address(one, web):
    binding, address = web
    one.run(REACH.format(host="www", port=8000), binding)  # it runs now, and for some seconds on
    code, _, stderr = one.run(REACH.format(host=address, port=8000))
    assert code == 1
    assert "No route to host" in stderr or "timed out" in stderr
    assert one.run(REACH.format(host="www", port=8000))[0] == 1


def test_another_session_does_not_reach_it(open_session, one, web):
    binding, address = web
    one.run(REACH.format(host="www", port=8000), binding)
    assert open_session().run(REACH.format(host=address, port=8000))[0] == 1


def test_a_step_reaches_the_outside(one, outside):
    host, port = outside
    assert one.run(REACH.format(host=host, port=port))[:2] == (0, "reached\n")


def test_a_service_reaches_the_outside(one, outside):
    host, port = outside
    script = f"{REACH.format(host=host, port=port)}; {WEB}"
    binding = f'withServiceBinding(alias: "www", service: {json.dumps(one.service(script, 8000))})'
    assert one.run(REACH.format(host="www", port=8000), binding)[:2] == (0, "reached\n")


def test_a_step_does_not_reach_what_listens_on_the_hosts_loopback(one):
    with serving("127.0.0.1") as port:
        code, _, stderr = one.run(REACH.format(host="127.0.0.1", port=port))
    assert code == 1
    assert "Connection refused" in stderr


def test_a_step_reaches_a_proxy_on_the_hosts_loopback_that_it_is_told_of(open_session):
    with serving("127.0.0.1") as port:
        told = open_session(UV_INDEX_URL=f"http://127.0.0.1:{port}/simple")
        assert told.run(REACH.format(host="127.0.0.1", port=port))[:2] == (0, "reached\n")


def test_a_step_that_may_use_the_session_reaches_it(one):
    ask = "import os, socket; socket.create_connection(('127.0.0.1', int(os.environ['DAGGER_SESSION_PORT'])))"
    assert one.run(ask, experimentalPrivilegedNesting="true")[0] == 0


def test_a_step_on_the_hosts_network_finds_its_service_on_a_loopback_address(open_session):
    shared = open_session(SHIPWAY_NETWORK="host")
    binding = f'withServiceBinding(alias: "www", service: {json.dumps(shared.service(WEB, 8000))})'
    links = "import socket; print([name for _, name in socket.if_nameindex()])"
    assert shared.run(links)[1] == f"{[name for _, name in socket.if_nameindex()]}\n"
    code, address, _ = shared.run(f"{ADDRESS}; {REACH.format(host='www', port=8000)}", binding)
    assert code == 0
    assert address.startswith("127.")
    assert shared.run(REACH.format(host="www", port=8000))[0] == 1
