"""The lint stage: ruff, pylint and mypy over the code, side by side, each over the files it looks at."""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import dagger
from dagger import dag

from ci.stages.project import Project
from ci.stages.result import Result
from ci.stages.step import ran_at, step
from ci.stages.tools import PYTHON, workshop

CONFIG = "pyproject.toml"
EVERYTHING = ("app/**/*.py", "ci/**/*.py", "infra/**/*.py", "tests/**/*.py", "requirements/*.py")
TYPED = ("app/**/*.py", "ci/**/*.py", "infra/**/*.py")
MYPY_CACHE = "/var/cache/mypy"


@dataclass(frozen=True, slots=True)
class Check:
    """One linter: the files it looks at, and the module that is run with its arguments."""

    sources: Sequence[str]
    command: Sequence[str]

    def on(self, container: dagger.Container, project: Project) -> dagger.Container:
        """The container in which it has run."""
        sources = project.files([*self.sources, CONFIG])
        return step(container.with_mounted_directory("/src", sources), [PYTHON, "-m", *self.command])


CHECKS = (
    Check(EVERYTHING, ["ruff", "check", "--no-cache", "."]),
    Check(EVERYTHING, ["ruff", "format", "--check", "--no-cache", "."]),
    Check(["app/**/*.py"], ["pylint", "app"]),
    Check(["ci/**/*.py"], ["pylint", "ci"]),
    Check(["ci/**/*.py", "infra/**/*.py"], ["pylint", "infra"]),
    Check(TYPED, ["mypy", "--cache-dir", MYPY_CACHE, "app", "ci", "infra"]),
)


async def lint(project: Project) -> Result:
    """Run all the linters, also when one of them has a finding.

    Raises:
        ExceptionGroup: of a ``dagger.ExecError`` for each linter with findings.
    """
    container = (await workshop(project)).with_mounted_cache(MYPY_CACHE, dag.cache_volume("shipway-mypy"))
    ran: list[float] = []
    findings: list[dagger.ExecError] = []

    async def run(check: Check) -> None:
        try:
            ran.append(await ran_at(check.on(container, project)))
        except dagger.ExecError as error:
            findings.append(error)

    async with anyio.create_task_group() as tasks:
        for check in CHECKS:
            tasks.start_soon(run, check)
    if findings:
        raise ExceptionGroup("linters with findings", findings)
    return Result(ran)
