"""What the local cloud costs: `python -m tests.bench.cloud` measures and prints one line for each figure.

Everything is measured beside the same thing without it, in the same run. With the service's image, as
`build` writes it (`oci-archive:PATH`), its deploys are measured too.
"""

import http.client
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from infra.local.runtime.contract import Target
from infra.local.runtime.scaling import Scaling
from tests.integration.infra.local.runtime.image import FAST, interpreter, write_image
from tests.integration.infra.local.runtime.staged import Staged

REQUEST = b"GET / HTTP/1.1\r\nHost: fast.localhost\r\n\r\n"
END = b"ok\n"
READY = "/readyz"
COMMAND = ("python", "-S", "/srv/fast.py")


def ask(connection):
    """Send a request and take its answer."""
    connection.sendall(REQUEST)
    answer = b""
    while not answer.endswith(END):
        answer += connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")


def connect(port):
    """A connection to a port of this machine."""
    connection = socket.create_connection(("127.0.0.1", port), 30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def plain_process(port):
    """Start the same server without a sandbox; seconds until its first answer, and its process."""
    began = time.perf_counter()
    process = subprocess.Popen(  # pylint: disable=consider-using-with  # the caller ends it
        [interpreter(), "-S", FAST], env={"PORT": str(port)}
    )
    while True:
        try:
            with connect(port) as connection:
                ask(connection)
            return time.perf_counter() - began, process
        except ConnectionRefusedError:
            time.sleep(0.001)


def latencies(port, rate, seconds):
    """Latencies in ms of requests sent at a steady rate over 8 connections."""
    connections = [connect(port) for _ in range(8)]
    taken = []
    start = time.perf_counter()
    for number in range(int(rate * seconds)):
        due = start + number / rate
        time.sleep(max(due - time.perf_counter(), 0))
        began = time.perf_counter()
        ask(connections[number % 8])
        taken.append((time.perf_counter() - began) * 1000)
    for connection in connections:
        connection.close()
    return sorted(taken)


def throughput(port, connections, seconds):
    """Requests a second over so many connections, each with one request at a time."""
    poll = select.epoll()
    there = {}
    for _ in range(connections):
        connection = connect(port)
        there[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
        connection.sendall(REQUEST)
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for number, _ in poll.poll():
            answer = there[number].recv(65536)
            if answer.endswith(END):
                done += 1
                there[number].sendall(REQUEST)
    rate = done / (time.perf_counter() - began)
    for connection in there.values():
        connection.close()
    return rate


def free_port():
    """A port that nobody listens at."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


def first_200(port, host, path):
    """Ask until the answer is 200; other answers, and a port that is closed, mean that it is not up yet."""
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            answer.read()
            connection.close()
        except (ConnectionError, http.client.HTTPException):
            answer = None
        if answer is not None and answer.status == 200:
            return
        time.sleep(0.005)


def deploys(staged, state, image, rounds):
    """ms until the service's first 200: of a plain process, and of a deploy; medians over some rounds."""
    process, deploy = [], []
    for number in range(-1, rounds):  # the first one unpacks the image, and warms what is read from disk
        began = time.perf_counter()
        spec = staged.spec("app", f"app-{number + 1}", image=image, memory=2 << 30)
        staged.tell("deploy", spec)
        staged.tell("route", "app.localhost", (Target(spec.key, 100),))
        first_200(staged.port, "app.localhost", READY)
        deploy.append(time.perf_counter() - began)
        staged.tell("retire", spec.key)
        model = next(state.glob("layers/*/srv/model"))
        port = free_port()
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "app.serving", "--host", "127.0.0.1", "--model", model],
            env={**os.environ, "PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.DEVNULL,
        ) as beside:
            first_200(port, "127.0.0.1", READY)
            process.append(time.perf_counter() - began)
            beside.terminate()
    return [statistics.median(each[1:]) * 1000 for each in (process, deploy)]


def starts(staged, rounds):
    """ms until the first answer: of a process, of a deploy, and from zero; medians over some rounds."""
    process, deploy, cold = [], [], []
    for number in range(rounds):
        taken, started = plain_process(free_port())
        started.kill()
        started.wait()
        process.append(taken)
        began = time.perf_counter()
        spec = staged.spec("fast", f"fast-{number}", command=COMMAND)
        staged.tell("deploy", spec)
        staged.tell("route", "fast.localhost", (Target(spec.key, 100),))
        with connect(staged.port) as connection:
            ask(connection)
            deploy.append(time.perf_counter() - began)
            while staged.tell("instances", spec.key):
                time.sleep(0.05)
            began = time.perf_counter()
            ask(connection)
            cold.append(time.perf_counter() - began)
        staged.tell("retire", spec.key)
    return [statistics.median(each) * 1000 for each in (process, deploy, cold)]


def main():
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        image = write_image(Path(folder))
        staged = Staged(Path(folder) / "state", image, Scaling(idle=0.3))
        process, deploy, cold = starts(staged, 7)
        print(f"plain process to first answer      {process:8.1f} ms")
        print(f"deploy to first 200, added         {deploy - process:8.1f} ms")
        print(f"cold start from zero, added        {cold - process:8.1f} ms")
        if len(sys.argv) > 1:
            plain, deploy = deploys(staged, Path(folder) / "state", sys.argv[1], 5)
            print(f"the service, plain, to first 200   {plain:8.1f} ms")
            print(f"its deploy to first 200, added     {deploy - plain:8.1f} ms")
        staged.close()
        staged = Staged(Path(folder) / "state", image)
        spec = staged.deploy("fast", "fast-x", command=COMMAND)
        port = free_port()
        _, beside = plain_process(port)
        for name, where in (("the instance", port), ("the proxy", staged.port)):
            taken = latencies(where, 200, 5)
            p50, p99 = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
            print(f"200 requests/s to {name:13s}    p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
        print(f"keep-alive, 32 connections         {throughput(port, 32, 3):8.0f} requests/s to the instance")
        rate = throughput(staged.port, 32, 5)
        print(f"keep-alive, 32 connections         {rate:8.0f} requests/s through the proxy")
        beside.kill()
        beside.wait()
        staged.tell("retire", spec.key)
        staged.close()


if __name__ == "__main__":
    main()
