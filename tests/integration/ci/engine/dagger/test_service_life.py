"""Services: how they start, are found and end, as Dagger's own tests (services_test.go) have it."""

import urllib.error
import urllib.request
import uuid

import anyio
import anyio.to_thread
import dagger
import pytest

GET = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read().decode(), end='')"
SIGNALS = """
import http.server, signal, socketserver
def note(number, frame):
    with open("signals.txt", "a") as file:
        print(signal.strsignal(number), file=file)
signal.signal(signal.SIGTERM, note)
http.server.ThreadingHTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
ARGUMENTS = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(",".join(sys.argv[1:]).encode())
http.server.HTTPServer(("", 8080), Handler).serve_forever()
"""


def server(base: dagger.Container, content: str, *ports: int) -> dagger.Container:
    """A container that serves one page at each of the ports; they are not exposed."""
    serve = " & ".join(f"python3 -m http.server {port}" for port in ports)
    return (
        base.with_new_file("/srv/index.html", content)
        .with_workdir("/srv")
        .with_default_args(["sh", "-c", f"{serve} & wait"])
    )


def web(base: dagger.Container, content: str, *ports: int) -> dagger.Service:
    container = server(base, content, *ports)
    for port in ports:
        container = container.with_exposed_port(port)
    return container.as_service()


def get(base: dagger.Container, url: str) -> dagger.Container:
    return base.with_env_variable("BUST", uuid.uuid4().hex).with_exec(["python3", "-c", GET, url])


async def from_host(url: str) -> str:
    return await anyio.to_thread.run_sync(lambda: urllib.request.urlopen(url, timeout=5).read().decode())


async def test_a_service_that_was_started_is_found_by_its_hostname_until_it_is_stopped(base):
    service = web(base, uuid.uuid4().hex, 8000)
    url = await service.endpoint(scheme="http")
    with pytest.raises(dagger.ExecError):
        await get(base, url).sync()
    await service.start()
    assert len(await get(base, url).stdout()) == 32
    await service.stop()
    with pytest.raises(dagger.ExecError):
        await get(base, url).sync()


async def test_a_step_under_way_finds_a_service_that_starts_later(base):
    service = web(base, "late", 8000).with_hostname("latecomer")
    wait = "until getent hosts latecomer >/dev/null; do sleep 0.05; done; "
    step = base.with_exec(["sh", "-c", f'{wait} python3 -c "$0" http://latecomer:8000/', GET])
    outputs = []

    async def run() -> None:
        outputs.append(await step.stdout())

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await anyio.sleep(0.3)
        await service.start()
    await service.stop()
    assert outputs == ["late"]


async def test_a_service_has_the_hostname_it_was_given(base):
    service = web(base, "hello", 8000).with_hostname("wwwhatsup")
    assert await service.hostname() == "wwwhatsup"
    assert await service.endpoint() == "wwwhatsup:8000"
    await service.start()
    assert await get(base, "http://wwwhatsup:8000").stdout() == "hello"
    await service.stop()


async def test_hostnames_differ_between_services_and_not_between_questions(base):
    names = {await web(base, "same", 8000).hostname() for _ in range(3)}
    assert len(names) == 1
    assert await web(base, "other", 8000).hostname() not in names


async def test_an_endpoint_has_the_first_port_or_the_one_asked_for(base):
    service = web(base, "", 8000, 9000)
    name = await service.hostname()
    assert await service.endpoint() == f"{name}:8000"
    assert await service.endpoint(port=1234, scheme="tcp") == f"tcp://{name}:1234"
    with pytest.raises(dagger.QueryError, match="no ports exposed"):
        await server(base, "", 8000).as_service().endpoint()


async def test_a_port_that_is_not_exposed_is_reached_once_it_is_listened_on(base):
    bound = base.with_service_binding("www", server(base, "undeclared", 8000).as_service())
    retry = 'for i in $(seq 100); do python3 -c "$0" http://www:8000 2>/dev/null && break; sleep 0.05; done'
    assert await bound.with_exec(["sh", "-c", retry, GET]).stdout() == "undeclared"


async def test_the_same_service_under_two_aliases_is_one(base, dag):
    volume = dag.cache_volume(uuid.uuid4().hex)
    service = (
        base.with_mounted_cache("/c", volume)
        .with_exposed_port(8000)
        .with_default_args(["sh", "-c", "echo start >>/c/starts; cd /c; exec python3 -m http.server 8000"])
        .as_service()
    )
    bound = base.with_service_binding("one", service).with_service_binding("two", service)
    for name in ("one", "two"):
        assert await get(bound, f"http://{name}:8000/starts").stdout() == "start\n"


async def test_a_port_whose_health_is_not_checked_is_not_waited_for(base):
    container = server(base, "x", 8000).with_exposed_port(6214, experimental_skip_healthcheck=True)
    await container.as_service().start()
    with_a_checked_one = container.with_exposed_port(8000).as_service()
    await with_a_checked_one.start()
    assert await get(base, await with_a_checked_one.endpoint(port=8000, scheme="http")).stdout() == "x"


async def test_stopping_asks_first_and_kills_when_told_to(base):
    service = (
        base.with_new_file("/signals.py", SIGNALS)
        .with_workdir("/srv/www")
        .with_new_file("signals.txt", "")
        .with_exposed_port(8000)
        .with_default_args(["python3", "/signals.py"])
        .as_service()
    )
    await service.start()
    url = await service.endpoint(scheme="http") + "/signals.txt"
    assert await get(base, url).stdout() == ""
    async with anyio.create_task_group() as group:
        group.start_soon(service.stop)
        asked = 'until python3 -c "$0" $1 | grep -q Terminated; do sleep 0.05; done'
        await base.with_exec(["sh", "-c", asked, GET, url]).sync()
        with anyio.fail_after(5):
            await service.stop(kill=True)
    with pytest.raises(dagger.ExecError):
        await get(base, url).sync()


async def test_a_service_that_needs_one_that_dies_goes_down_with_it(base):
    dependency = base.with_default_args(["sh", "-c", "sleep 1; echo crashed >&2; exit 42"]).as_service()
    service = base.with_service_binding("dep", dependency).with_default_args(["sleep", "30"]).as_service()
    step = base.with_service_binding("app", service).with_exec(["sleep", "30"])
    with pytest.raises(dagger.QueryError) as caught:
        await step.sync()
    message = str(caught.value)
    assert f"bound service {await service.hostname()} (aliased as app) exited" in message
    assert f"bound service {await dependency.hostname()} (aliased as dep) exited: exit code: 42" in message


async def test_a_udp_port_is_reached_too(base):
    echo = (
        "import socket\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 4321))\n"
        "t = socket.create_server(('', 4322))\n"
        "while True:\n  s.sendto(*s.recvfrom(1500))\n"
    )
    ask = (
        "import socket\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); s.connect(('echo', 4321))\n"
        "for text in (b'Hello, ', b'world!'):\n  s.send(text); print(s.recv(1500).decode(), end='')\n"
    )
    service = (
        base.with_exposed_port(4321, protocol=dagger.NetworkProtocol.UDP)
        .with_exposed_port(4322)
        .with_default_args(["python3", "-c", echo])
        .as_service()
    )
    bound = base.with_service_binding("echo", service)
    assert await bound.with_exec(["python3", "-c", ask]).stdout() == "Hello, world!"


async def test_services_in_a_chain_may_all_listen_on_the_same_port(base):
    relay = (
        "import http.server as h, urllib.request as u\n"
        "class Handler(h.BaseHTTPRequestHandler):\n"
        "  def do_GET(self):\n"
        "    self.send_response(200); self.end_headers()\n"
        "    self.wfile.write(u.urlopen('http://next:8000/').read() + b'+')\n"
        "u.urlopen('http://next:8000/')\n"
        "h.HTTPServer(('', 8000), Handler).serve_forever()\n"
    )
    service = web(base, "0", 8000)
    for number in range(3):
        service = (
            base.with_env_variable("NUMBER", str(number))
            .with_service_binding("next", service)
            .with_exposed_port(8000)
            .with_default_args(["python3", "-c", relay])
            .as_service()
        )
    assert await get(base.with_service_binding("www", service), "http://www:8000/").stdout() == "0+++"


async def test_a_service_reaches_those_that_were_started_and_those_of_the_host(base, dag):
    async def answer(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.0 200 OK\r\n\r\nfrom the host")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra_attributes[anyio.abc.SocketAttribute.local_port]()
    backend = web(base, "and a neighbour", 8000).with_hostname("neighbour")
    fetch = '{ python3 -c "$0" http://host:8000; python3 -c "$0" http://neighbour:8000; } >/srv/got'
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, answer)
        await backend.start()
        front = (
            base.with_service_binding(
                "host", dag.host().service([dagger.PortForward(backend=port, frontend=8000)])
            )
            .with_exposed_port(8000)
            .with_default_args(
                ["sh", "-c", f"mkdir /srv; {fetch}; cd /srv; exec python3 -m http.server 8000", GET]
            )
            .as_service()
        )
        bound = base.with_service_binding("front", front)
        assert await get(bound, "http://front:8000/got").stdout() == "from the hostand a neighbour"
        group.cancel_scope.cancel()
    await listener.aclose()
    await backend.stop()


async def test_a_service_does_not_see_volatile_variables(base):
    container = base.with_default_args(["sh", "-c", 'test -z "$VOL" && exec python3 -m http.server 8000'])
    container = container.with_exposed_port(8000).with_volatile_variable("VOL", "passing")
    await container.as_service().start()


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, "defaults"),
        ({"args": ["python3", "/app.py", "given"]}, "given"),
        ({"use_entrypoint": True}, "entry,python3,/app.py,defaults"),
        ({"use_entrypoint": True, "args": ["given"]}, "entry,given"),
        ({"args": ["python3", "/app.py", "$NAME"], "expand": True}, "value"),
    ],
)
async def test_a_service_runs_the_default_arguments_or_those_it_is_given(base, options, arguments):
    container = (
        base.with_new_file("/app.py", ARGUMENTS)
        .with_env_variable("NAME", "value")
        .with_entrypoint(["python3", "/app.py", "entry"])
        .with_default_args(["python3", "/app.py", "defaults"])
        .with_exposed_port(8080)
    )
    bound = base.with_service_binding("app", container.as_service(**options))
    assert await get(bound, "http://app:8080/").stdout() == arguments


async def test_an_image_as_a_service_runs_its_entrypoint_with_its_default_arguments(base, dag):
    container = (
        base.with_new_file("/app.py", ARGUMENTS)
        .with_entrypoint(["python3", "/app.py", "entry"])
        .with_default_args(["defaults"])
        .with_exposed_port(8080)
    )
    imported = dag.container().import_(container.as_tarball())
    bound = base.with_service_binding("app", imported.as_service())
    assert await get(bound, "http://app:8080/").stdout() == "entry,defaults"


async def test_a_tunnel_tells_where_it_is_once_it_is_started(base, dag):
    service = web(base, "tunnelled", 8000, 9000)
    tunnel = dag.host().tunnel(service)
    with pytest.raises(dagger.QueryError, match=r"service \w+ is not running"):
        await tunnel.endpoint()
    await tunnel.start()
    assert await tunnel.hostname() == "127.0.0.1"
    ports = await tunnel.ports()
    assert len(ports) == 2
    for port in ports:
        assert await from_host(f"http://127.0.0.1:{await port.port()}") == "tunnelled"
    assert f"-> {await service.hostname()}:8000" in (await ports[0].description() or "")
    await tunnel.stop()
    with pytest.raises(urllib.error.URLError):
        await from_host(f"http://127.0.0.1:{await ports[0].port()}")


async def test_a_tunnel_can_have_the_services_own_ports_and_others(base, dag):
    service = web(base, "native", 32765).with_hostname("native")
    tunnel = dag.host().tunnel(
        service, native=True, ports=[dagger.PortForward(backend=32765, frontend=32764)]
    )
    await tunnel.start()
    numbers = {await port.port() for port in await tunnel.ports()}
    assert numbers == {32764, 32765}
    for number in numbers:
        assert await from_host(f"http://127.0.0.1:{number}") == "native"
    await tunnel.stop()


async def test_a_tunnel_to_no_ports_and_a_service_of_none_are_refused(base, dag):
    with pytest.raises(dagger.QueryError, match="no ports"):
        await dag.host().tunnel(server(base, "", 8000).as_service()).id()
    with pytest.raises(dagger.QueryError, match="no ports"):
        await dag.host().service([]).id()


@pytest.mark.parametrize("of", ["service", "container"])
async def test_up_opens_the_ports_until_the_caller_goes_away(base, of):
    container = server(base, f"up {of}", 8000).with_exposed_port(8000)
    ports = [dagger.PortForward(backend=8000, frontend=32760 + len(of))]
    async with anyio.create_task_group() as group:
        if of == "service":
            group.start_soon(lambda: container.as_service().up(ports=ports))
        else:
            group.start_soon(lambda: container.up(ports=ports))
        with anyio.fail_after(10):
            while True:
                try:
                    assert await from_host(f"http://127.0.0.1:{ports[0].frontend}") == f"up {of}"
                    break
                except OSError:
                    await anyio.sleep(0.05)
        group.cancel_scope.cancel()


async def test_what_listens_on_the_loopback_interface_alone_is_for_the_service_alone(base):
    command = ["sh", "-c", "python3 -m http.server 8000 -b 127.0.0.1 & exec python3 -m http.server 8001"]
    service = base.with_default_args(command).with_exposed_port(8001).as_service()
    bound = base.with_service_binding("www", service)
    assert "Directory listing" in await get(bound, "http://www:8001/").stdout()
    with pytest.raises(dagger.ExecError):
        await get(bound, "http://www:8000/").sync()


@pytest.mark.parametrize(
    ("command", "shell"),
    [(["touch /srv/checked"], True), (["/usr/bin/touch", "/srv/checked"], False)],
)
async def test_a_service_is_ready_when_its_health_check_succeeds_inside_it(base, command, shell):
    options = {"shell": shell, "interval": "50ms", "start_period": "5s"}
    checked = server(base, "x", 8000).with_docker_healthcheck(command, **options)
    bound = base.with_service_binding("www", checked.with_exposed_port(8000).as_service())
    retry = (
        'for i in $(seq 100); do python3 -c "$0" http://www:8000/checked && break; sleep 0.05; done; echo $?'
    )
    assert await bound.with_exec(["sh", "-c", retry, GET]).stdout() == "0\n"


async def test_a_health_check_runs_as_the_services_user_with_its_variables(base):
    whom = 'test "$(id -u):$(id -g):$(id -G)" = 65534:65534:65534'
    script = f'{whom} && test "$V" = v && test "$PWD" = /tmp'
    container = (
        base.with_user("nobody")
        .with_workdir("/tmp")
        .with_env_variable("V", "v")
        .with_docker_healthcheck(["sh", "-c", script], retries=1)
        .with_default_args(["sleep", "30"])
    )
    service = container.as_service()
    await service.start()
    await service.stop(kill=True)


async def test_a_health_check_has_no_more_rights_than_the_service(base):
    script = "grep -E '^(CapEff|CapPrm|NoNewPrivs)' /proc/self/status; exit 1"
    container = base.with_docker_healthcheck(["sh", "-c", script], retries=1)
    with pytest.raises(dagger.ExecError) as caught:
        await container.with_default_args(["sleep", "30"]).as_service().start()
    seen = dict(line.split(":\t") for line in caught.value.stdout.splitlines())
    usual = "00000000a80425fb"
    assert {name.rstrip(":"): value for name, value in seen.items()} == {
        "CapPrm": usual,
        "CapEff": usual,
        "NoNewPrivs": "1",
    }


async def test_a_health_check_that_goes_on_failing_is_told_with_what_it_printed(base):
    command = ["sh", "-c", "echo 'check said no' && echo 'eek an error' >&2 && exit 42"]
    service = (
        server(base, "x", 8080)
        .with_exposed_port(8080)
        .with_docker_healthcheck(command, interval="10ms")
        .as_service()
    )
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_service_binding("www", service).with_exec(["true"]).sync()
    error = caught.value
    message = f"start {await service.hostname()} (aliased as www): health check errored: exit code: 42"
    assert str(error) == message
    assert (error.stdout, error.stderr) == ("check said no\n", "eek an error\n")
    assert error.command == command
