"""What the front proxy costs: `python -m tests.bench.traffic` prints one line for each figure.

A client, the proxy and a tiny server are a process each. The proxy and the server itself are asked in turns,
so that whatever else the machine does meets both.
"""

import asyncio
import contextlib
import os
import select
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from infra.local.runtime.contract import Target
from infra.local.traffic import FrontProxy
from tests.integration.infra.local.traffic.stage import Places, key

SERVER = Path(__file__).parents[1] / "integration/infra/local/runtime/fast_server.py"
ROOT = Path(__file__).parents[2]
REQUEST = b"GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n"
END = b"ok\n"
RATE = 200
CONNECTIONS = 32
PAIRS, MOST_PAIRS = 8, 40
QUIET = 2.0  # ms: the p99 of the instance itself


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), 30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(connection):
    connection.sendall(REQUEST)
    answer = b""
    while not answer.endswith(END):
        answer += connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")


def latencies(port, seconds):
    """Sorted ms from when each of RATE requests a second was due to its answer, over 8 connections."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(port)) for _ in range(8)]
        for each in connections:
            ask(each)
        taken, start = [], time.perf_counter()
        for number in range(int(RATE * seconds)):
            due = start + number / RATE
            time.sleep(max(due - time.perf_counter(), 0))
            ask(connections[number % 8])
            taken.append((time.perf_counter() - due) * 1000)
    return sorted(taken)


def throughput(port, seconds):
    """Requests a second over CONNECTIONS connections, each with one request at a time."""
    with contextlib.ExitStack() as stack:
        poll, there = select.epoll(), {}
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(connect(port))
            there[connection.fileno()] = connection
            poll.register(connection, select.EPOLLIN)
            connection.sendall(REQUEST)
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            for number, _ in poll.poll():
                if there[number].recv(65536).endswith(END):
                    done += 1
                    there[number].sendall(REQUEST)
        return done / (time.perf_counter() - began)


def cpu(process):
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def serve(server):
    """Be the proxy, for the server at a port."""
    places = Places()
    places.revisions[key("web-1")] = {"web-1-a": server}
    front = FrontProxy(places, lambda _entry: None)
    front.route("web.localhost", (Target(key("web-1"), 100),))
    async with front.listening():
        print(front.port, flush=True)
        await asyncio.Event().wait()


def p99(taken):
    return taken[int(len(taken) * 0.99)]


def quiet_pairs(server, front):
    """Latencies of both, a second each in turns, where nothing else kept the machine; how many were tried.

    All of them when there is no quiet moment to be had.
    """
    pairs, quiet = [], []
    while len(quiet) < PAIRS and len(pairs) < MOST_PAIRS:
        pairs.append((latencies(server, 1), latencies(front, 1)))
        if p99(pairs[-1][0]) < QUIET:
            quiet.append(pairs[-1])
    return quiet or pairs, len(pairs)


def measure(server, front, proxy):
    pairs, seen = quiet_pairs(server, front)
    print(f"{len(pairs)} of {seen} pairs of a second each count: in others the instance itself was slow")
    for name, place in (("the instance", 0), ("the proxy", 1)):
        taken = sorted(each for pair in pairs for each in pair[place])
        print(
            f"{RATE} requests/s to {name:13s} p50 {taken[len(taken) // 2]:6.2f} ms   p99 {p99(taken):6.2f} ms"
        )
    added = statistics.median(p99(through) - p99(direct) for direct, through in pairs)
    print(f"p99 added at {RATE} requests/s          {added:6.2f} ms (asked for: under 5)")
    rates, used, answered = [], 0.0, 0.0
    for _ in range(3):
        direct, before = throughput(server, 1), cpu(proxy)
        through = throughput(front, 3)
        used, answered = used + cpu(proxy) - before, answered + through * 3
        rates.append((direct, through))
    direct, through = (statistics.median(each) for each in zip(*rates, strict=True))
    print(f"keep-alive, {CONNECTIONS} connections        {direct:6.0f} requests/s to the instance")
    print(
        f"keep-alive, {CONNECTIONS} connections        {through:6.0f} requests/s through the proxy"
        f" (asked for: 2000); {answered / used:.0f} a second of its CPU"
    )


def main():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-S", SERVER], env={"PORT": str(port)})
    command = [sys.executable, "-m", "tests.bench.traffic", str(port)]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        measure(port, int(proxy.stdout.readline()), proxy)
    finally:
        for process in (proxy, server):
            process.kill()
            process.wait()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(serve(int(sys.argv[1])))
    else:
        main()
