"""The stages as a Dagger module: `dagger call test`, `dagger call build export --path=image.tar`.

A thin layer: each function hands the module's inputs to the function of ci/stages of the same name.
"""

import json
from dataclasses import replace
from typing import Annotated

import dagger
from dagger import DefaultPath, Doc, Ignore, dag, function, object_type

from ci import settings, target
from ci.host_settings import HostSettings
from ci.stages import build as build_stage
from ci.stages import deploy as deploy_stage
from ci.stages import gate as gate_stage
from ci.stages import lint as lint_stage
from ci.stages import provision as provision_stage
from ci.stages import publish as publish_stage
from ci.stages import smoke as smoke_stage
from ci.stages import test as test_stage
from ci.stages import train as train_stage
from ci.stages import verify as verify_stage
from ci.stages.base import base_image
from ci.stages.delivery import to_google
from ci.stages.downloads import from_host
from ci.stages.project import Project, within

UNUSED = [".git", ".venv", "**/__pycache__", "build", "dist", ".*_cache", "sdk"]


@object_type
class Shipway:
    """Lint, test, train, gate, build, smoke-test and deliver an ML service."""

    source: Annotated[dagger.Directory, DefaultPath("/"), Ignore(UNUSED), Doc("The project")]
    base: Annotated[str, Doc("Base image, with Python 3.11 or newer")] = "python:3.11-slim"
    env: Annotated[str, Doc("Environment to deliver to")] = "staging"
    commit: Annotated[str, Doc("Commit that is delivered")] = "unknown"
    google_token: Annotated[dagger.Secret | None, Doc("Access token, to deliver to Google Cloud with")] = None
    passphrase: Annotated[dagger.Secret | None, Doc("Of the stacks' secrets")] = None

    @function
    async def lint(self) -> str:
        """Run ruff, pylint and mypy; fails on a finding."""
        await lint_stage.lint(await self._project())
        return "no findings"

    @function
    async def test(self) -> dagger.Directory:
        """Run the app's tests; returns coverage.xml and junit.xml."""
        project = await self._project()
        await test_stage.test(project)
        return await test_stage.reports(project)

    @function
    async def train(self) -> dagger.Directory:
        """Train and evaluate; returns the model with its metrics, schema and lineage."""
        return await train_stage.model(await self._project())

    @function
    async def gate(self) -> str:
        """Judge the model by the thresholds in pyproject.toml; returns the table as JSON."""
        result = await gate_stage.gate(await self._project())
        return json.dumps(result.facts["gate"], indent=2)

    @function
    async def build(self) -> dagger.Container:
        """Build the service's image, of a model that the gate let pass."""
        project = await self._project()
        await gate_stage.gate(project)
        return await build_stage.image(project)

    @function
    async def smoke(self) -> str:
        """Start the image and ask it a known case; returns what it answered."""
        result = await smoke_stage.smoke(await self._project())
        return str(result.facts["answer"])

    @function
    async def provision(self) -> str:
        """Lay the environment's foundation; returns whether that changed anything, as JSON."""
        result = await provision_stage.provision(await self._delivered())
        return json.dumps(result.facts["provisioned"])

    @function
    async def publish(self) -> str:
        """Push the image to the environment's registry; returns its reference by digest."""
        result = await publish_stage.publish(await self._delivered())
        return str(result.facts["published"])

    @function
    async def deploy(self) -> str:
        """Run the image on Cloud Run; returns what serves, as JSON."""
        result = await deploy_stage.deploy(await self._delivered())
        return json.dumps(result.facts["deployed"], indent=2)

    @function
    async def verify(self) -> str:
        """Deploy, and ask the service the known case; returns what answered, as JSON."""
        result = await verify_stage.verify(await self._delivered())
        return json.dumps(result.facts["service"], indent=2)

    async def _delivered(self) -> Project:
        """The project with a place to deliver to, and a model that the gate let pass.

        Raises:
            BadTarget: there is no such environment, or no token.
        """
        target.check(self.env, target.GOOGLE)
        if self.google_token is None:
            raise target.BadTarget("Delivering needs --google-token, as in --google-token=env:TOKEN.")
        project = await self._project()
        await gate_stage.gate(project)
        wanted = target.Target(self.env, target.GOOGLE, self.commit)
        delivery = to_google(
            project.settings.deploy, wanted, self.google_token, self.passphrase or dag.set_secret("none", "")
        )
        return replace(project, target=delivery)

    async def _project(self) -> Project:
        text = await self.source.file("pyproject.toml").contents()
        return Project(
            select=within(self.source),
            base=base_image(self.base),
            downloads=from_host(HostSettings({}, None)),
            settings=settings.parse(text, "pyproject.toml"),
        )
