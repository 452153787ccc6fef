"""Dagger's SDK publishes through the embedded engine, and gets back what it published."""

import uuid

import dagger
import pytest

from tests.integration.ci.engine.dagger.conftest import anyio_backend, dag, session, workdir

__all__ = ["anyio_backend", "dag", "session", "workdir"]  # the fixtures that start a session
pytestmark = pytest.mark.embedded


async def test_a_container_is_published_and_pulled_again(dag, port):
    address = f"localhost:{port}/shipway-test/apps/from-dagger:v1"
    mark = uuid.uuid4().hex
    built = dag.container().with_new_file("/mark", mark).with_entrypoint(["/mark"])
    published = await built.publish(address)
    assert published.startswith(f"{address}@sha256:")
    pulled = dag.container().from_(published)
    assert await pulled.file("/mark").contents() == mark
    assert await pulled.entrypoint() == ["/mark"]


async def test_variants_are_published_together(dag, port):
    address = f"localhost:{port}/shipway-test/apps/both"
    variant = dag.container(platform=dagger.Platform("linux/arm64")).with_new_file("/arch", "arm64")
    published = await dag.container().with_new_file("/arch", "amd64").publish(
        address, platform_variants=[variant]
    )  # fmt: skip
    pulled = dag.container(platform=dagger.Platform("linux/arm64")).from_(published)
    assert await pulled.file("/arch").contents() == "arm64"


async def test_a_missing_repository_is_named(dag, port):
    container = dag.container().with_new_file("/a", "a")
    with pytest.raises(dagger.QueryError, match='Repository "nowhere" not found'):
        await container.publish(f"localhost:{port}/shipway-test/nowhere/hello")
