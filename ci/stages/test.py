"""The test stage: the app's own tests, in the container, with coverage."""

from xml.etree import ElementTree as ET

from ci.stages.project import Project
from ci.stages.result import Result
from ci.stages.step import ran_at, step
from ci.stages.tools import PYTHON, workshop

SOURCES = (
    "app/**/*.py",
    "app/data/*",
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


async def test(project: Project) -> Result:
    """Run the tests; hands back coverage.xml (Cobertura) and junit.xml."""
    container = workshop(project).with_mounted_directory("/src", project.files(SOURCES))
    tested = step(container.with_new_file("/out/.keep", ""), COMMAND)
    at = await ran_at(tested)
    reports = tested.directory("/out").filter(include=["*.xml"])
    coverage = ET.fromstring(await reports.file("coverage.xml").contents())  # noqa: S314  # our own pytest's
    suite = ET.fromstring(await reports.file("junit.xml").contents())[0]  # noqa: S314
    facts = {
        "tests": int(suite.attrib["tests"]),
        "skipped": int(suite.attrib["skipped"]),
        "line_coverage": float(coverage.attrib["line-rate"]),
    }
    return Result((at,), {"test": reports}, facts)
