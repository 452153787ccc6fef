"""A registry that is killed: what was acknowledged is there, and an upload goes on; memory is bounded."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.infra.local import plain
from tests.integration.infra.local.registry import program
from tests.integration.infra.local.registry.conftest import NAME, manifest, push, sha

ROOT = Path(__file__).parents[5]
PIECE = os.urandom(1 << 20)
PIECES = 512


@pytest.fixture
def start(tmp_path):
    running = []

    def begin():
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", program.__name__, str(tmp_path / "registry"), str(port)]
        process = subprocess.Popen(command, cwd=ROOT)
        running.append(process)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        return process, plain.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    yield begin
    for process in running:
        process.kill()
        process.wait()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_after_a_kill_images_are_there_and_an_upload_goes_on(start):
    process, http = start()
    with http:
        data = manifest(http)
        push(http, "v1", data)
        place = http.post(f"/v2/{NAME}/blobs/uploads/").headers["location"]
        http.patch(place, content=PIECE)
        kill(process)
    process, http = start()
    with http:
        assert http.get(f"/v2/{NAME}/manifests/v1").content == data
        assert http.get(f"/v2/{NAME}/blobs/{sha(b'layer')}").content == b"layer"
        assert http.get(place).headers["range"] == f"0-{len(PIECE) - 1}"
        http.patch(place, content=b"end", headers={"content-range": f"{len(PIECE)}-{len(PIECE) + 2}"})
        assert http.put(place, params={"digest": sha(PIECE + b"end")}).status_code == 201


def test_a_client_that_breaks_off_can_go_on(start):
    _, http = start()

    def broken():
        yield PIECE
        raise ConnectionError

    with http:
        place = http.post(f"/v2/{NAME}/blobs/uploads/").headers["location"]
        with pytest.raises(ConnectionError):
            http.patch(place, content=broken())
        here = int(http.get(place).headers["range"].removeprefix("0-")) + 1
        assert here <= len(PIECE)
        here = 0 if here == 1 else here
        http.patch(place, content=PIECE[here:], headers={"content-range": f"{here}-{len(PIECE) - 1}"})
        assert http.put(place, params={"digest": sha(PIECE)}).status_code == 201


@pytest.mark.slow
def test_half_a_gigabyte_takes_little_memory(start):
    process, http = start()
    digest = hashlib.sha256()
    for _ in range(PIECES):
        digest.update(PIECE)
    name = f"sha256:{digest.hexdigest()}"
    with http:
        before = peak(process)
        answer = http.post(
            f"/v2/{NAME}/blobs/uploads/", params={"digest": name}, content=(PIECE for _ in range(PIECES))
        )
        assert answer.status_code == 201
        with http.stream("GET", f"/v2/{NAME}/blobs/{name}") as response:
            assert sum(map(len, response.iter_bytes())) == PIECES << 20
        assert peak(process) - before < 32 << 10


def peak(process):
    """The most memory that a process has had, in KiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
