"""The lint stage: ruff, pylint and mypy over the code, side by side."""

import anyio
from dagger import dag

from ci.stages.project import Project
from ci.stages.result import Result
from ci.stages.step import ran_at, step
from ci.stages.tools import PYTHON, workshop

SOURCES = ("app/**/*.py", "ci/**/*.py", "tests/**/*.py", "requirements/*.py", "pyproject.toml")
COMMANDS = {
    "ruff": [PYTHON, "-m", "ruff", "check", "--no-cache", "."],
    "format": [PYTHON, "-m", "ruff", "format", "--check", "--no-cache", "."],
    "pylint": [PYTHON, "-m", "pylint", "app", "ci"],
    "mypy": [PYTHON, "-m", "mypy", "--cache-dir", "/var/cache/mypy", "app", "ci"],
}


async def lint(project: Project) -> Result:
    """Run the linters; a finding of any of them fails the stage."""
    container = (
        workshop(project)
        .with_mounted_cache("/var/cache/mypy", dag.cache_volume("shipway-mypy"))
        .with_mounted_directory("/src", project.files(SOURCES))
    )
    ran: dict[str, float] = {}

    async def check(name: str) -> None:
        ran[name] = await ran_at(step(container, COMMANDS[name]))

    async with anyio.create_task_group() as tasks:
        for name in COMMANDS:
            tasks.start_soon(check, name)
    return Result(tuple(ran.values()))
