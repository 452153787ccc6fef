"""Services: started once, found by name, stopped after the last who used them, and their end is told."""

import urllib.request
import uuid

import anyio
import anyio.to_thread
import dagger
import pytest

FETCH = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end='')"


def web(base: dagger.Container, content: str, port: int = 8000) -> dagger.Service:
    return (
        base.with_new_file("/srv/index.html", content)
        .with_workdir("/srv")
        .with_exposed_port(port)
        .with_default_args(["python3", "-m", "http.server", str(port)])
        .as_service()
    )


def fetch(base: dagger.Container, url: str) -> dagger.Container:
    return base.with_exec(["python3", "-c", FETCH, url])


async def test_a_service_answers_under_its_alias_and_its_hostname(base):
    service = web(base, "hello")
    bound = base.with_service_binding("www", service)
    assert await fetch(bound, "http://www:8000/").stdout() == "hello"
    assert await fetch(bound, f"http://{await service.hostname()}:8000/").stdout() == "hello"
    assert await service.endpoint(scheme="http") == f"http://{await service.hostname()}:8000"


async def test_two_services_may_listen_on_the_same_port(base):
    bound = base.with_service_binding("one", web(base, "1")).with_service_binding("two", web(base, "2"))
    script = (
        FETCH.replace("sys.argv[1]", "'http://one:8000'")
        + ";"
        + FETCH.replace("sys.argv[1]", "'http://two:8000'")
    )
    assert await bound.with_exec(["python3", "-c", script]).stdout() == "12"


async def test_a_service_is_known_to_nobody_who_is_not_bound_to_it(base):
    await fetch(base.with_service_binding("www", web(base, "x")), "http://www:8000/").sync()
    with pytest.raises(dagger.ExecError) as caught:
        await fetch(base, "http://www:8000/").sync()
    assert "not known" in caught.value.stderr or "resolution" in caught.value.stderr


async def test_a_service_may_be_bound_to_another(base):
    backend = web(base, "from the backend")
    proxy = (
        "import http.server as h, urllib.request as u\n"
        "class H(h.BaseHTTPRequestHandler):\n"
        "  def do_GET(self):\n"
        "    self.send_response(200); self.end_headers()\n"
        "    self.wfile.write(u.urlopen('http://backend:8000/').read())\n"
        "h.HTTPServer(('', 9000), H).serve_forever()\n"
    )
    front = (
        base.with_service_binding("backend", backend)
        .with_exposed_port(9000)
        .with_default_args(["python3", "-c", proxy])
        .as_service()
    )
    assert (
        await fetch(base.with_service_binding("front", front), "http://front:9000/").stdout()
        == "from the backend"
    )


async def test_many_who_need_a_service_share_one(base, dag):
    volume = dag.cache_volume(uuid.uuid4().hex)
    service = (
        base.with_mounted_cache("/c", volume)
        .with_exposed_port(8000)
        .with_default_args(["sh", "-c", "echo start >>/c/starts; cd /c; exec python3 -m http.server 8000"])
        .as_service()
    )
    outputs = []

    async def run(number: int) -> None:
        bound = base.with_env_variable("N", str(number)).with_service_binding("www", service)
        outputs.append(await fetch(bound, "http://www:8000/starts").stdout())

    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(run, number)
    assert outputs == ["start\n"] * 3


async def test_a_service_that_dies_before_it_listens_fails_whoever_needs_it_with_its_log(base):
    dead = (
        base.with_exposed_port(8000).with_default_args(["sh", "-c", "echo last words; exit 42"]).as_service()
    )
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_service_binding("www", dead).with_exec(["true"]).sync()
    error = caught.value
    assert str(error) == f"start {await dead.hostname()} (aliased as www): exit code: 42"
    assert (error.exit_code, error.stdout, error.stderr) == (42, "last words\n", "")
    assert error.command == ["sh", "-c", "echo last words; exit 42"]
    with pytest.raises(dagger.ExecError, match=r"^exit code: 42$"):
        await dead.start()


async def test_a_service_that_dies_under_way_ends_the_step_that_uses_it(base):
    mortal = (
        "import http.server as h, os\n"
        "class H(h.BaseHTTPRequestHandler):\n"
        "  def do_GET(self): os._exit(42)\n"
        "h.HTTPServer(('', 8000), H).serve_forever()\n"
    )
    dying = base.with_exposed_port(8000).with_default_args(["python3", "-c", mortal]).as_service()
    ask = FETCH.replace("sys.argv[1]", "'http://www:8000/'")
    fatal = "import time\ntry:\n  " + ask + "\nfinally:\n  time.sleep(60)"
    with pytest.raises(
        dagger.QueryError, match=r"bound service \w+ \(aliased as www\) exited: exit code: 42"
    ):
        await base.with_service_binding("www", dying).with_exec(["python3", "-c", fatal]).sync()


async def test_a_service_needs_a_command(base):
    with pytest.raises(dagger.QueryError, match="no service command has been set"):
        await base.without_default_args().without_entrypoint().as_service().id()


async def test_a_service_can_be_started_stopped_and_started_again(base):
    service = web(base, "again")
    for _ in range(2):
        await service.start()
        bound = base.with_env_variable("X", uuid.uuid4().hex).with_service_binding("www", service)
        assert await fetch(bound, "http://www:8000/").stdout() == "again"
        await service.stop()


async def test_a_tunnel_opens_a_service_to_the_host(base, dag):
    tunnel = dag.host().tunnel(web(base, "tunnelled"))
    await tunnel.start()
    url = await tunnel.endpoint(scheme="http")
    assert await anyio.to_thread.run_sync(lambda: urllib.request.urlopen(url).read()) == b"tunnelled"
    await tunnel.stop()


async def test_a_service_of_the_host_is_reached_by_steps(base, dag):
    async def answer(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.0 200 OK\r\n\r\nfrom the host")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra_attributes[anyio.abc.SocketAttribute.local_port]()
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, answer)
        host = dag.host().service([dagger.PortForward(backend=port, frontend=7777)], host="127.0.0.1")
        bound = base.with_service_binding("host", host)
        assert await fetch(bound, "http://host:7777/").stdout() == "from the host"
        group.cancel_scope.cancel()
    await listener.aclose()
