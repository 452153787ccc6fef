"""Pushing an image of 200 MB again that the registry has: how long, and what is sent."""

import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.relay import relay

PROGRAM = "docker-registry"
SIZE = 200_000_000
# Hashed once, with bcrypt, as the registry wants it: "me" and "secret".
HTPASSWD = "me:$2y$05$ProDd43Ie//V.rmBI2XXVeZwrje/AC09mWeJyRS6nBPXEW57kARZG\n"


class Push(NamedTuple):
    """A push of an image: `sent` is in bytes, of all bodies."""

    seconds: float
    requests: int
    sent: int


@contextmanager
def registry(program: str | Path, more: str = "") -> Iterator[str]:
    """A registry of Debian's (or distribution's own) on this machine, empty; its host and port.

    ``more`` is added to its configuration, where ``{home}`` stands for a folder that has its htpasswd file.
    """
    with (
        tempfile.TemporaryDirectory(prefix="registry-") as home,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        port = free.getsockname()[1]
        free.close()
        Path(home, "htpasswd").write_text(HTPASSWD, encoding="ascii")
        config = Path(home, "config.yml")
        config.write_text(
            f"version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {home}/data}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n{more.format(home=home)}",
            encoding="ascii",
        )
        command = [program, "serve", config]
        with (
            subprocess.Popen(
                command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
            ) as process,
            ThreadPoolExecutor(1) as reader,
        ):
            try:
                _wait(process)
                reader.submit(process.stderr.read)
                yield f"localhost:{port}"
            finally:
                process.kill()


def _wait(process: subprocess.Popen[str]) -> None:
    said = []
    for line in process.stderr:
        if "listening on" in line:
            return
        said.append(line)
    raise RuntimeError(f"{PROGRAM} ended and said: {''.join(said)}")


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
