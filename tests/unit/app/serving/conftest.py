"""The service on a real port of this process, with the trained model."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from app.errors import AppError
from app.serving.api import create_app
from app.serving.artifacts import Artifacts, read_artifacts

Loader = Callable[[], Any]


@contextlib.contextmanager
def running(load: Loader, on_failure: Callable[[AppError], Any] = print) -> Iterator[httpx.Client]:
    app = create_app(load, on_failure)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=address, timeout=20, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def until_ready(client: httpx.Client) -> None:
    while client.get("/readyz").status_code != 200:
        pass


@pytest.fixture(scope="session")
def artifacts(model_folder: Path) -> Artifacts:
    return read_artifacts(model_folder)


@pytest.fixture(scope="session")
def client(artifacts: Artifacts) -> Iterator[httpx.Client]:
    with running(lambda: artifacts) as client:
        until_ready(client)
        yield client


@pytest.fixture
def service() -> Callable[..., contextlib.AbstractContextManager[httpx.Client]]:
    """Starts a service of one's own."""
    return running


@pytest.fixture
def application(model_folder: Path) -> dict[str, Any]:
    """A valid request."""
    case = json.loads((model_folder / "known_case.json").read_text(encoding="utf-8"))
    return dict(case["request"])
