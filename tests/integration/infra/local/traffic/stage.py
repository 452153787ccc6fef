"""A front proxy in a thread of its own, with instances of a test's making behind it."""

import asyncio
import itertools
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace

from infra.local.runtime.contract import Target
from infra.local.traffic import FrontProxy, NoInstance, Unavailable
from tests.integration.infra.local import plain
from tests.integration.infra.local.traffic.instance import Instance

REVISIONS = "projects/acme/locations/europe-west1/services/web/revisions"


@dataclass
class Place:
    """A Slot."""

    places: "Places"
    instance: str
    port: int
    timeout: float
    taken: bool = True

    async def dial(self):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.settimeout(0)
        try:
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", self.port))
        except BaseException:
            made.close()
            raise
        return made

    def condemn(self):
        self.places.condemned.append(self.instance)
        for revision in self.places.revisions.values():
            revision.pop(self.instance, None)

    def leave(self):
        assert self.taken
        self.taken = False
        self.places.busy[self.instance] -= 1


class Places:
    """A Backend: `revisions` maps keys to instances and their ports, each of which takes `room` requests."""

    def __init__(self):
        self.revisions = {}
        self.busy = Counter()
        self.claims = Counter()
        self.condemned = []
        self.timeout = 30.0
        self.room = 1000

    async def claim(self, revision_key, instance=""):
        await asyncio.sleep(0)
        there = self.revisions.get(revision_key)
        if not there:
            raise Unavailable
        roomy = [name for name in there if self.busy[name] < self.room]
        if not roomy:
            raise NoInstance
        chosen = instance if instance in roomy else min(roomy, key=self.busy.__getitem__)
        self.busy[chosen] += 1
        self.claims[revision_key] += 1
        return Place(self, chosen, there[chosen], self.timeout)

    def populations(self):
        return {key: (len(there), 0) for key, there in self.revisions.items()}


class Stage:
    def __init__(self, limits=None):
        self.places = Places()
        self.entries = []
        self._limits = limits
        self._numbers = itertools.count(1)
        self._instances = []
        self._box = SimpleNamespace()
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        self.front = self._box.front
        self.port = self.front.port

    async def _run(self, ready):
        self._box.loop, self._box.done = asyncio.get_running_loop(), asyncio.Event()
        self._box.front = FrontProxy(self.places, self.entries.append, limits=self._limits)
        async with self._box.front.listening():
            ready.set()
            await self._box.done.wait()

    def close(self):
        if self._thread.is_alive():
            self._box.loop.call_soon_threadsafe(self._box.done.set)
        self._thread.join(10)
        for instance in self._instances:
            instance.die()
        assert not self._thread.is_alive()

    def call(self, function, *arguments, **named):
        """Call a function in the proxy's loop."""

        async def run():
            return function(*arguments, **named)

        return self.call_for(run, 10)

    def call_for(self, function, seconds):
        """Have a coroutine function run in the proxy's loop."""
        return asyncio.run_coroutine_threadsafe(function(), self._box.loop).result(seconds)

    def instance(self, revision="web-1", pages=()):
        """Start one more instance of a revision."""
        made = Instance(f"{revision}-{next(self._numbers)}", pages)
        self._instances.append(made)
        self.add(revision, made.name, made.port)
        return made

    def add(self, revision, name, port):
        self.places.revisions.setdefault(key(revision), {})[name] = port

    def route(self, percents=None, tags=None, host="web.localhost", affinity=False, **access):
        """Split a host's requests; all of it for web-1 when nothing is said."""
        targets = [Target(key(name), percent) for name, percent in (percents or {"web-1": 100}).items()]
        targets += [Target(key(name), 0, tag) for tag, name in (tags or {}).items()]
        self.call(self.front.route, host, tuple(targets), affinity, **access)

    def client(self, host="web.localhost", port=None, **how):
        return plain.Client(
            base_url=f"http://127.0.0.1:{port or self.port}", headers={"host": host}, timeout=20, **how
        )

    def get(self, path="/", host="web.localhost", port=None, **how):
        with self.client(host, port) as client:
            return client.get(path, **how)

    def raw(self, timeout=10):
        made = socket.create_connection(("127.0.0.1", self.port), timeout)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def say(self, data):
        """Send bytes; all that comes back until the connection ends."""
        with self.raw() as client:
            with suppress(ConnectionError):  # the proxy may have heard enough
                client.sendall(data)
            return receive_all(client)

    def logged(self, number=1):
        """The newest entry of the log, once there are so many: a client may know of its answer sooner."""
        assert until(lambda: len(self.entries) >= number)
        return self.entries[-1]

    def requests(self):
        """The httpRequest of each log entry."""
        return [entry.payload["httpRequest"] for entry in self.entries]


def key(revision):
    return f"{REVISIONS}/{revision}"


def until(condition, seconds=10):
    """Wait until a condition holds; whether it does."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def receive_all(client):
    said = b""
    with suppress(ConnectionResetError):
        while data := client.recv(65536):
            said += data
    return said
