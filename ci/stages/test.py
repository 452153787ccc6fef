"""The test stage: the app's own tests, in the container, with coverage."""

from xml.etree import ElementTree as ET

import dagger

from ci.stages.once import once
from ci.stages.project import Project
from ci.stages.result import Result
from ci.stages.step import ran_at, step
from ci.stages.tools import PYTHON, workshop

SOURCES = (
    "app/**/*.py",
    "app/**/*.html",
    "app/data/*.csv",
    "app/data/*.sha256",
    "app/data/*.md",
    "tests/unit/app/**/*.py",
    "tests/acceptance/app/**/*.py",
    "tests/conftest.py",
    "tests/unit/conftest.py",
    "pyproject.toml",
)
COMMAND = [
    *(PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "tests"),
    *("--cov", "--cov-report=term", "--cov-report=xml:/out/coverage.xml", "--junitxml=/out/junit.xml"),
]


@once
async def tested(project: Project) -> dagger.Container:
    """The container in which the tests have run."""
    container = (await workshop(project)).with_mounted_directory("/src", project.files(SOURCES))
    return await step(container, COMMAND).sync()


async def reports(project: Project) -> dagger.Directory:
    """What the tests left behind: coverage.xml (Cobertura) and junit.xml."""
    return (await tested(project)).directory("/out")


async def test(project: Project) -> Result:
    """Run the tests; hands back their reports."""
    at = await ran_at(await tested(project))
    made = await reports(project)
    coverage = ET.fromstring(await made.file("coverage.xml").contents())  # noqa: S314  # our own pytest's
    suite = ET.fromstring(await made.file("junit.xml").contents())[0]  # noqa: S314
    facts = {
        "tests": int(suite.attrib["tests"]),
        "skipped": int(suite.attrib["skipped"]),
        "line_coverage": float(coverage.attrib["line-rate"]),
    }
    return Result((at,), {"test": made}, facts)
