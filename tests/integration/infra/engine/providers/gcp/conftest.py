"""A provider that is configured for a local cloud, whose instances are in memory."""

import httpx
import pytest

from infra.engine.providers.contract import Target
from infra.engine.providers.gcp import Gcp
from tests.integration.infra.local.memory import MemoryFleet, MemoryFront
from tests.integration.infra.local.serving import serving

PROJECT = "shipway-staging"
SERVICE = "gcp:cloudrunv2/service:Service"
PATHS = {
    "artifactRegistry": "v1",
    "billingBudgets": "v1",
    "cloudRunV2": "v2",
    "iam": "v1",
    "iamBeta": "v1",
    "logging": "v2",
    "monitoring": "",
    "resourceManager": "v1",
    "secretManager": "v1",
    "serviceUsage": "v1",
    "storage": "storage/v1",
}


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture
def cloud(tmp_path):
    front = MemoryFront()
    with serving(tmp_path / "state", MemoryFleet(), front) as served:
        served.front = front
        yield served


def configuration(url, **more):
    endpoints = {f"{name}CustomEndpoint": f"{url}/{path}" for name, path in PATHS.items()}
    return {"project": PROJECT, "region": "europe-west1", **endpoints, **more}


@pytest.fixture
async def gcp(cloud):
    provider = Gcp()
    await provider.configure(configuration(cloud.url))
    yield Stack(provider)
    await provider.close()


@pytest.fixture
def api(cloud):
    """The cloud as somebody else sees it."""
    with httpx.Client(base_url=cloud.url, timeout=30) as client:
        yield client


class Stack:
    """What an engine does with a provider, for one resource at a time."""

    def __init__(self, provider):
        self.provider = provider

    async def check(self, kind, name, inputs):
        checked = await self.provider.check(target(kind, name), {}, inputs, b"seed")
        assert checked.failures == ()
        return checked.inputs

    async def create(self, kind, name, inputs):
        return await Made(self.provider, target(kind, name), await self.check(kind, name, inputs)).create()


class Made:
    """A resource: its inputs as they were checked, its id and its outputs."""

    def __init__(self, provider, target, inputs):
        self.provider, self.target, self.inputs = provider, target, inputs
        self.id, self.outputs = "", {}

    async def create(self):
        created = await self.provider.create(self.target, self.inputs, preview=False)
        self.id, self.outputs = created.id, created.outputs
        return self

    async def diff(self, inputs=None):
        news = self.inputs if inputs is None else inputs
        return await self.provider.diff(self.target, self.id, self.inputs, self.outputs, news, ())

    async def read(self):
        return await self.provider.read(self.target, self.id, self.inputs, self.outputs)

    async def update(self, **changes):
        news = await Stack(self.provider).check(
            self.target.type, self.target.name, {**self.inputs, **changes}
        )
        self.outputs = await self.provider.update(
            self.target, self.id, self.inputs, self.outputs, news, (), preview=False
        )
        self.inputs = news
        return self

    async def delete(self):
        await self.provider.delete(self.target, self.id, self.inputs, self.outputs)


def target(kind, name):
    return Target(f"urn:pulumi:staging::shipway::{kind}::{name}", kind, name)


def service(image="host/app", **more):
    """A service's inputs, the least that there is."""
    template = {"containers": [{"image": image}], "scaling": {"maxInstanceCount": 3}}
    return {
        "name": "loans",
        "location": "europe-west1",
        "template": template,
        "deletionProtection": False,
        **more,
    }
