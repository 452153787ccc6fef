"""Pushing an image of 200 MB again that the registry has: how long, and what is sent."""

import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.relay import relay

PROGRAM = "docker-registry"
SIZE = 200_000_000


class Push(NamedTuple):
    """A push of an image: `sent` is in bytes, of all bodies."""

    seconds: float
    requests: int
    sent: int


@contextmanager
def registry(program: str | Path) -> Iterator[str]:
    """A registry of Debian's (or distribution's own) on this machine, empty; its host and port."""
    with (
        tempfile.TemporaryDirectory(prefix="registry-") as home,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        port = free.getsockname()[1]
        free.close()
        storage = f"storage: {{filesystem: {{rootdirectory: {home}/data}}}}\n"
        config = Path(home, "config.yml")
        config.write_text(f"version: 0.1\n{storage}http: {{addr: '127.0.0.1:{port}'}}\n", encoding="ascii")
        command = [program, "serve", config]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            try:
                _wait(port)
                yield f"localhost:{port}"
            finally:
                process.kill()


def _wait(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"{PROGRAM} does not listen on port {port}")


def measure(ask: Callable[[str], dict], size: int = SIZE, times: int = 3) -> list[Push] | None:
    """The first push of a layer of `size` bytes and those after it; None where there is no registry.

    `ask` has a session of the engine answer a query.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        return None
    new, found = uuid.uuid4().hex, []
    step = f'withExec(args: ["sh", "-c", "head -c {size} /dev/urandom > /large"])'
    made = (
        f'container {{ from(address: "busybox") {{ withEnvVariable(name: "BENCH", value: "{new}") {{ {step}'
    )
    ask(f"{{ {made} {{ sync }} }} }} }} }}")
    # The relay's thread notes requests while the engine, another process, sends them.
    with registry(program) as host, relay(host) as way:
        for _ in range(times):
            way.asked.clear()
            started = time.perf_counter()
            ask(f'{{ {made} {{ publish(address: "{way.host}/bench/{new}:1") }} }} }} }} }}')
            seconds = time.perf_counter() - started
            found.append(Push(seconds, len(way.asked), sum(asked.sent for asked in way.asked)))
    return found
