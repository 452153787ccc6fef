"""The service as it is run: a process of its own, asked over a socket."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[3]
MEBIBYTE = 1024 * 1024


class Served:
    """A running service: its process, its address, and a client for it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)

    def until_ready(self) -> None:
        while self.client.get("/readyz").status_code != 200:
            assert self.process.poll() is None


@contextlib.contextmanager
def served(*arguments: str, **environment: str) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.serving", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.fullmatch(r"listening on http://\S+:(\d+)\n", line)
        assert found, line + process.stderr.read()
        running = Served(process, int(found[1]))
        with running.client:
            yield running
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def service(model_folder: Path) -> Iterator[Served]:
    with served("--model", str(model_folder), PORT="0") as running:
        running.until_ready()
        yield running


@pytest.fixture
def known_case(model_folder: Path) -> dict[str, Any]:
    return dict(json.loads((model_folder / "known_case.json").read_text(encoding="utf-8")))


def test_the_known_case_is_answered_as_training_said(service: Served, known_case) -> None:
    answer = service.client.post(known_case["path"], json=known_case["request"]).json()
    expected = known_case["expected"]
    assert answer["decision"] == expected["decision"]
    assert answer["probability"] == pytest.approx(expected["probability"], abs=expected["tolerance"])


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/version", "/metrics", "/dashboard", "/openapi.json"]
)
def test_every_page_is_there(service: Served, path: str) -> None:
    assert service.client.get(path).status_code == 200


def test_a_body_of_10_mb_is_refused_by_its_declared_length(service: Served) -> None:
    answer = service.client.post("/predict", content=b"x" * 10_000_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert service.client.get("/healthz").status_code == 200


def test_a_body_of_10_mb_in_chunks_is_refused(service: Served) -> None:
    answer = service.client.post("/predict", content=(b"x" * 100_000 for _ in range(100)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert service.client.get("/healthz").status_code == 200


def test_a_declared_10_mb_is_refused_before_a_byte_of_it_is_asked_for(service: Served) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_an_endless_body_is_neither_kept_nor_waited_for(service: Served) -> None:
    def memory() -> int:
        status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="utf-8")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024

    before = memory()
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(64 * MEBIBYTE // 0x10000):
                connection.sendall(chunk)
    assert memory() - before < 16 * MEBIBYTE
    assert service.client.get("/healthz").status_code == 200


def test_a_request_under_way_is_finished_after_sigterm_and_the_exit_code_is_0(
    model_folder, known_case
) -> None:
    body = json.dumps(known_case["request"]).encode()
    head = (
        "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with served("--model", str(model_folder), PORT="0") as running:
        running.until_ready()
        running.client.close()
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
            connection.sendall(head.encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
            running.process.send_signal(signal.SIGTERM)
            connection.sendall(body)
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        out, error = running.process.communicate(timeout=20)
    assert running.process.returncode == 0
    assert error == ""
    assert json.loads(out)["event"] == "decision"


def test_without_a_model_the_process_ends_with_one_line_that_says_so(tmp_path: Path) -> None:
    with served("--model", str(tmp_path), "--port", "0") as running:
        out, error = running.process.communicate(timeout=20)
    assert running.process.returncode == 1
    assert out == ""
    assert error.startswith(f"error: {tmp_path / 'lineage.json'}: No such file or directory.")
    assert len(error.splitlines()) == 1


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.serving", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_port_that_is_taken_is_named(service: Served, model_folder: Path) -> None:
    found = run("--model", str(model_folder), "--port", str(service.port))
    assert found.returncode == 1
    assert found.stderr == f"error: 127.0.0.1 port {service.port}: Address already in use.\n"


@pytest.mark.parametrize("port", ["http", "-1", "65536"])
def test_a_port_that_is_none_is_named_with_where_it_came_from(model_folder: Path, port: str) -> None:
    found = run("--model", str(model_folder), PORT=port)
    assert found.returncode == 2
    assert f"environment variable PORT: '{port}' is not a port" in found.stderr
