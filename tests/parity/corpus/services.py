"""Services: bound under a name, started when they are needed, and what is said when they don't."""

import dagger

from tests.parity.world import Room, World

SERVE = ["python3", "-m", "http.server", "8000", "--directory", "/srv"]
ASK = "import urllib.request as u; print(u.urlopen('http://{}/', timeout=20).read().decode())"


def _web(world: World, *, port: int = 8000) -> dagger.Container:
    return (
        world.base.with_new_file("/srv/index.html", f"hello {world.unique[:0]}")
        .with_env_variable("UNIQUE", world.unique)
        .with_exposed_port(port)
        .with_default_args(SERVE)
    )


async def _ask(world: World, service: dagger.Service, alias: str = "web", address: str = "web:8000") -> str:
    asking = world.base.with_service_binding(alias, service).with_env_variable("UNIQUE", world.unique)
    return await asking.with_exec(["python3", "-c", ASK.format(address)]).stdout()


async def _started(world: World) -> list[object]:
    service = await _web(world).as_service().start()
    endpoint = await service.endpoint(port=8000, scheme="http")
    answer = await world.base.with_exec(
        ["python3", "-c", ASK.format(endpoint.removeprefix("http://"))]
    ).stdout()
    await service.stop()
    return [answer, endpoint.replace(await service.hostname(), "HOST")]


async def _ports(world: World) -> list[object]:
    return [
        [await p.port(), await p.protocol()]
        for p in await _web(world).with_exposed_port(9).as_service().ports()
    ]


async def _up(world: World) -> str:
    import anyio
    import httpx

    tunnel = await world.dag.host().tunnel(_web(world).as_service()).start()
    endpoint = await tunnel.endpoint(scheme="http")
    async with httpx.AsyncClient(trust_env=False) as client:
        with anyio.fail_after(20):
            answer = await client.get(endpoint)
    await tunnel.stop()
    return answer.text


def _fails(world: World, script: str) -> dagger.Service:
    return (
        world.base.with_env_variable("U", world.unique)
        .with_exposed_port(8000)
        .as_service(args=["sh", "-c", script])
    )


async def _endpoint(world: World) -> str:
    service = _web(world).as_service()
    return (await service.endpoint(port=1234)).replace(await service.hostname(), "HOST")


async def _through(world: World) -> str:
    script = (
        "import http.server as h, urllib.request as u\n"
        "class A(h.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        body = b'via ' + u.urlopen('http://inner:8000/').read()\n"
        "        self.send_response(200); self.send_header('Content-Length', str(len(body)))\n"
        "        self.end_headers(); self.wfile.write(body)\n"
        "h.HTTPServer(('', 8000), A).serve_forever()\n"
    )
    outer = world.base.with_service_binding("inner", _web(world).as_service()).with_exposed_port(8000)
    return await _ask(world, outer.as_service(args=["python3", "-c", script]))


async def _way_out(world: World) -> str:
    script = (
        "import socket, os; os.makedirs('/srv', exist_ok=True)\n"
        "routes = [line.split()[1] for line in open('/proc/net/route')]\n"
        "open('/srv/index.html', 'w').write('a way out: ' + str('0' * 8 in routes))\n"
        "import http.server as h, functools as f\n"
        "h.HTTPServer(('', 8000), f.partial(h.SimpleHTTPRequestHandler, directory='/srv')).serve_forever()\n"
    )
    service = world.base.with_exposed_port(8000).as_service(args=["python3", "-c", script])
    return await _ask(world, service)


async def _hidden(world: World) -> str:
    two = "python3 -m http.server 8001 --directory /srv & exec python3 -m http.server 8000 --directory /srv"
    return await _ask(world, _web(world).as_service(args=["sh", "-c", two]), "web", "web:8001")


async def _stopped(world: World) -> str:
    service = await _web(world).as_service().start()
    host = await service.hostname()
    await service.stop()
    return await world.shell(f"getent hosts {host} || echo unknown")


async def _of_host(world: World) -> str:
    import http.server
    import threading

    world.on_host({"index.html": "of the host"})
    folder = str(world.folder)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=folder, **kwargs)

        def log_message(self, format, *args):  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = world.dag.host().service([dagger.PortForward(backend=server.server_port, frontend=80)])
        answer = await _ask(world, service, "www", "www:80")
        server.shutdown()
    return answer


async def _unchecked(world: World) -> str:
    service = (
        world.base.with_env_variable("U", world.unique)
        .with_exposed_port(9999, experimental_skip_healthcheck=True)
        .as_service(args=["sleep", "30"])
    )
    return await world.shell("echo started", world.base.with_service_binding("idle", service))


PIPELINES: Room = {
    "a bound service answers": lambda w: _ask(w, _web(w).as_service()),
    "a bound service answers under another name": lambda w: _ask(w, _web(w).as_service(), "db", "db:8000"),
    "a service has its arguments": lambda w: _ask(w, _web(w).as_service(args=SERVE)),
    "a service uses the entrypoint": lambda w: _ask(
        w, _web(w).with_entrypoint(SERVE[:2]).as_service(args=SERVE[2:], use_entrypoint=True)
    ),
    "a service without the entrypoint": lambda w: _ask(
        w, _web(w).with_entrypoint(["false"]).with_default_args(SERVE).as_service()
    ),
    "a service with a name of its own": lambda w: _ask(
        w, _web(w).as_service().with_hostname("own-" + w.unique[:8]), "web", "web:8000"
    ),
    "a service's name of its own, asked": lambda w: _web(w).as_service().with_hostname("own-name").hostname(),
    "a service started by hand": _started,
    "a service's ports": _ports,
    "a service's endpoint without ports": lambda w: w.base.as_service(args=["sleep", "100"]).endpoint(),
    "a service's endpoint of another port": _endpoint,
    "a tunnel to a service": _up,
    "a tunnel to a service without ports": lambda w: (
        w.dag.host().tunnel(w.base.as_service(args=["sleep", "100"])).start()
    ),
    "a service that ends at once": lambda w: _ask(w, _fails(w, "echo out; echo err >&2; exit 5")),
    "a service that ends at once, started": lambda w: _fails(w, "echo out; echo err >&2; exit 5").start(),
    "a service that ends well before it listens": lambda w: _ask(w, _fails(w, "exit 0")),
    "a service whose command is not there": lambda w: _ask(
        w, w.base.with_exposed_port(8000).as_service(args=["nope-nope"])
    ),
    "a service whose step fails": lambda w: _ask(
        w, w.base.with_exec(["sh", "-c", "exit 7"]).with_exposed_port(8000).as_service(args=SERVE)
    ),
    "a service of an image without a command": lambda w: _ask(
        w, w.dag.container().with_rootfs(w.base.rootfs()).with_exposed_port(8000).as_service()
    ),
    "a name that is bound to nothing": lambda w: _ask(w, _web(w).as_service(), "web", "other:8000"),
    "a service sees a service": _through,
    "a service with a way out": _way_out,
    "a bound service is in the hosts file": lambda w: w.shell(
        "getent hosts web | awk '{print $2}' | cut -d. -f1",
        w.base.with_env_variable("U", w.unique).with_service_binding("web", _web(w).as_service()),
    ),
    "a service is reached on a port that it does not expose": _hidden,
    "a service that is stopped": _stopped,
    "a binding under an empty name": lambda w: _ask(w, _web(w).as_service(), "", "web:8000"),
    "a service of the host": _of_host,
    "a port without a health check": _unchecked,
}
