"""The stages as a Dagger module: `dagger call test`, `dagger call build export --path=image.tar`.

A thin layer: each function hands the module's inputs to the function of ci/stages of the same name.
"""

import json
from typing import Annotated

import dagger
from dagger import DefaultPath, Doc, Ignore, function, object_type

from ci import settings
from ci.host_settings import HostSettings
from ci.stages import build as build_stage
from ci.stages import gate as gate_stage
from ci.stages import lint as lint_stage
from ci.stages import smoke as smoke_stage
from ci.stages import test as test_stage
from ci.stages import train as train_stage
from ci.stages.base import base_image
from ci.stages.downloads import from_host
from ci.stages.project import Project, within

UNUSED = [".git", ".venv", "**/__pycache__", "build", "dist", ".*_cache", "sdk"]


@object_type
class Shipway:
    """Lint, test, train, gate, build and smoke-test an ML service."""

    source: Annotated[dagger.Directory, DefaultPath("/"), Ignore(UNUSED), Doc("The project")]
    base: Annotated[str, Doc("Base image, with Python 3.11 or newer")] = "python:3.11-slim"

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

    async def _project(self) -> Project:
        text = await self.source.file("pyproject.toml").contents()
        return Project(
            select=within(self.source),
            base=base_image(self.base),
            downloads=from_host(HostSettings({}, None)),
            settings=settings.parse(text, "pyproject.toml"),
        )
