"""A stage as a test sees it: what it is told, and what a client of its front proxy gets."""

import http.client
import itertools
import json
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

from infra.local.runtime.contract import RevisionSpec, Target

HERE = Path(__file__).parent
ROOT = HERE.parents[4]
PROJECT = "projects/acme/locations/europe-west1/services"


class Staged:
    def __init__(self, state, image, scaling=None, limits=None, *, outward=(80,)):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        self.image = image
        self.process = subprocess.Popen(
            [sys.executable, HERE / "stage.py", state],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=ROOT,
        )
        self._numbers = itertools.count(1)
        self._answers = {0: Future()}
        self._deployed, self._routed = set(), set()
        pickle.dump((scaling, limits, outward), self.process.stdin)
        self.process.stdin.flush()
        threading.Thread(target=self._listen, daemon=True).start()
        self.port = self._answers[0].result(30)

    def _listen(self):
        try:
            while True:
                number, answer = pickle.load(self.process.stdout)
                if isinstance(answer, Exception):
                    self._answers[number].set_exception(answer)
                else:
                    self._answers[number].set_result(answer)
        except Exception:  # noqa: BLE001  whatever it is, nobody may wait for ever
            for future in self._answers.values():
                if not future.done():
                    future.set_exception(RuntimeError("the stage has ended"))

    def begin(self, name, *arguments):
        number = next(self._numbers)
        self._answers[number] = future = Future()
        if name == "deploy":
            self._deployed.add(arguments[0].key)
        if name == "route":
            self._routed.add(arguments[0])
        pickle.dump((number, name, arguments), self.process.stdin)
        self.process.stdin.flush()
        return future

    def tell(self, name, *arguments):
        return self.begin(name, *arguments).result(60)

    def clear(self):
        """Be as new: without revisions, routes and log."""
        for retired in [self.begin("retire", key) for key in self._deployed]:
            retired.result(60)
        for host in self._routed:
            self.tell("unroute", host)
        self._deployed, self._routed = set(), set()
        self.tell("forget")

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def spec(self, service="web", name="web-1", **fields):
        return RevisionSpec("acme", "europe-west1", service, name, fields.pop("image", self.image), **fields)

    def deploy(self, service="web", name="web-1", **fields):
        """Deploy a revision and give it all of its service's traffic."""
        spec = self.spec(service, name, **fields)
        self.tell("deploy", spec)
        self.tell("route", f"{service}.localhost", (Target(spec.key, 100),))
        return spec

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(self, path="/", service="web", method="GET", headers=None, body=None, **how):
        connection = self.connect()
        headers = {"Host": f"{service}.localhost", **(headers or {})}
        connection.request(method, path, body, headers, **how)
        response = connection.getresponse()
        response.body = response.read()
        connection.close()
        return response

    def json(self, path, **how):
        return json.loads(self.get(path, **how).body)

    def texts(self, stream):
        return [text for _, kind, text, *_ in self.tell("entries") if kind == stream]
