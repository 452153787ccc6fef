"""What the front proxy costs: it and the instance itself are asked in turns, by a client on its own.

So whatever else the machine does meets both.
"""

import contextlib
import select
import socket
import statistics
import time
from dataclasses import dataclass

REQUEST = b"GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n"
END = b"ok\n"
RATE = 200
CONNECTIONS = 32
PAIRS, MOST_PAIRS = 8, 40
QUIET = 2.0  # ms: the p99 of the instance itself


@dataclass(frozen=True, slots=True)
class Both:
    """A figure of the instance itself, and of the proxy before it; `note` says how it came about."""

    direct: float
    through: float
    note: str


def connect(port):
    """A connection to a port of this machine."""
    connection = socket.create_connection(("127.0.0.1", port), 30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(connection):
    """Send a request and take its answer."""
    connection.sendall(REQUEST)
    answer = b""
    while not answer.endswith(END):
        answer += connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")


def latency(server, front):
    """The p99 in ms at RATE requests a second: medians over pairs of a second each.

    Pairs count where nothing else kept the machine; all of them when there is no quiet moment to be had.
    """
    pairs, quiet = [], []
    while len(quiet) < PAIRS and len(pairs) < MOST_PAIRS:
        pairs.append((_p99(_latencies(server, 1)), _p99(_latencies(front, 1))))
        if pairs[-1][0] < QUIET:
            quiet.append(pairs[-1])
    note = f"{len(quiet) or len(pairs)} of {len(pairs)} pairs of a second count"
    return Both(*(statistics.median(each) for each in zip(*(quiet or pairs), strict=True)), note)


def throughput(server, front):
    """Requests a second over CONNECTIONS connections, each with one request at a time."""
    rates = [(_rate(server, 1), _rate(front, 3)) for _ in range(3)]
    note = f"{CONNECTIONS} connections; the client, the proxy and the server share the cores"
    return Both(*(statistics.median(each) for each in zip(*rates, strict=True)), note)


def _latencies(port, seconds):
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


def _p99(taken):
    return taken[int(len(taken) * 0.99)]


def _rate(port, seconds):
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
