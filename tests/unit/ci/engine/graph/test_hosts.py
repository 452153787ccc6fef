"""A process's hosts file while services come and go."""

import threading

import anyio
import pytest

from ci.engine.graph.serving.services import Services


@pytest.fixture
def anyio_backend() -> str:
    """The engine's own."""
    return "asyncio"


@pytest.mark.anyio
async def test_a_reader_finds_its_own_names_at_any_instant(tmp_path):
    hosts = tmp_path / "hosts"
    missing: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            text = hosts.read_text()
            if "127.1.2.3\tweb\n" not in text:
                missing.append(text)

    async with anyio.create_task_group() as tasks:
        services = Services(tasks)
        with services.book(hosts, (("127.1.2.3", "web"),), inside=False, address=""):
            reader = threading.Thread(target=read)
            reader.start()
            for _ in range(2000):
                services.tell()
            done.set()
            reader.join()
    assert missing == []


@pytest.mark.anyio
async def test_a_name_that_is_gone_leaves_nothing_behind(tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1\tlocalhost\n" + "127.9.9.9\tgone\n" * 20)
    async with anyio.create_task_group() as tasks:
        with Services(tasks).book(hosts, (), inside=False, address=""):
            assert (
                hosts.read_text()
                == "127.0.0.1\tlocalhost dagger\n::1\tlocalhost ip6-localhost ip6-loopback\n"
            )
