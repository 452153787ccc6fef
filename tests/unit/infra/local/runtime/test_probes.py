"""Probes against real servers on this machine: what counts as well, and how many failures it takes."""

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from infra.local.runtime import probes
from infra.local.runtime.contract import Probe

SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


async def dial(port):
    made = socket.socket()
    made.setblocking(False)  # noqa: FBT003  the library's signature
    try:
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    except BaseException:
        made.close()
        raise
    return made


@pytest.fixture
def health():
    """A real gRPC server of grpc.health.v1.Health; what it answers, by the name of a service."""
    answers, asked = {b"": SERVING}, []

    def check(request, context):
        asked.append(request)
        service = request.partition(b"\n")[2][1:] if len(request) < 130 else request[3:]
        if service not in answers:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return answers[service]

    server = grpc.server(ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(check)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port, answers
    server.stop(None)


@pytest.mark.parametrize("name", ["", "orders", "o" * 200])
async def test_a_grpc_service_is_well_when_it_serves(health, name):
    port, answers = health
    probe = Probe("grpc", port, service=name, timeout=5)
    answers[name.encode()] = SERVING
    assert await probes.healthy(probe, dial)
    answers[name.encode()] = NOT_SERVING
    assert not await probes.healthy(probe, dial)
    del answers[name.encode()]
    assert not await probes.healthy(probe, dial)


async def serving(answer):
    async def one(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "well"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", True),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", False),
        (b"HTTP/1.1 503 Busy\r\n\r\n", False),
        (b"no http at all\r\n\r\n", False),
        (b"", False),
    ],
)
async def test_an_http_answer_from_200_to_399_is_well(answer, well):
    server, port = await serving(answer)
    assert await probes.healthy(Probe("http", port, timeout=5), dial) is well
    server.close()


@pytest.mark.parametrize("kind", ["tcp", "http", "grpc"])
async def test_a_port_that_is_closed_is_not_well(kind):
    server, port = await serving(b"")
    server.close()
    await server.wait_closed()
    assert not await probes.healthy(Probe(kind, port), dial)


async def test_a_port_that_opens_during_an_attempt_is_found_at_once():
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    probe = Probe("tcp", port, timeout=5, period=5, failure_threshold=1)
    starting = asyncio.create_task(probes.startup(probe, dial))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    assert await starting == 1
    assert time.monotonic() - began < 1
    server.close()


async def test_a_startup_probe_gives_up_after_its_threshold():
    server, port = await serving(b"HTTP/1.1 503 Busy\r\n\r\n")
    probe = Probe("http", port, timeout=1, period=0.05, failure_threshold=3)
    assert await probes.startup(probe, dial) == 0
    server.close()


async def test_a_watch_tells_changes_alone():
    well = iter([True, False, True, False, False, False, True, True])

    async def told(_port):
        if not next(well):
            raise ConnectionRefusedError
        return socket.socket()

    probe = Probe("tcp", 1, period=0, failure_threshold=2)
    changes = probes.watch(probe, told)
    assert [await anext(changes), await anext(changes)] == [False, True]
