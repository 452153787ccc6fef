"""Containers with Python packages in them, installed by uv from the hash-locked requirements."""

import dagger
from dagger import dag

from ci.stages.once import once
from ci.stages.project import Project

UV = "/usr/local/bin/uv"
UV_CACHE = "/var/cache/uv"
VENV = "/opt/venv"
PYTHON = f"{VENV}/bin/python"


@once
async def with_uv(project: Project) -> dagger.Container:
    """The base image with uv mounted into it, and its cache."""
    lock = project.file("requirements/installer.txt")
    command = ["python3", "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
    command += ["--no-compile", "--require-hashes", "--target", "/opt/uv", "-r", "/tmp/installer.txt"]  # noqa: S108
    installed = project.downloads.run(project.base.with_mounted_file("/tmp/installer.txt", lock), command)  # noqa: S108
    return project.base.with_mounted_file(UV, installed.file("/opt/uv/bin/uv")).with_mounted_cache(
        UV_CACHE, dag.cache_volume("shipway-uv")
    )


def install(project: Project, container: dagger.Container, lock: str, *options: str) -> dagger.Container:
    """Install a lock file of `requirements/` with uv into a container that has it."""
    command = [UV, "pip", "install", "--quiet", "--link-mode", "copy", "--cache-dir", UV_CACHE]
    command += ["--require-hashes", "-r", f"/run/{lock}", *options]
    with_lock = container.with_mounted_file(f"/run/{lock}", project.file(f"requirements/{lock}"))
    return project.downloads.run(with_lock, command).without_mount(f"/run/{lock}")


@once
async def with_venv(project: Project) -> dagger.Container:
    """The base image with uv, and an empty virtual environment."""
    command = [UV, "venv", "--quiet", "--no-python-downloads", "--python", "python3", VENV]
    return (await with_uv(project)).with_exec(command)


@once
async def trainer(project: Project) -> dagger.Container:
    """What training runs in: the served packages and those of the evaluation."""
    made = await with_venv(project)
    return install(project, made, "train.txt", "--python", PYTHON, "--compile-bytecode").with_workdir("/src")


@once
async def workshop(project: Project) -> dagger.Container:
    """What tests and linters run in: the trainer's packages, and on top of them the tools."""
    return install(project, await trainer(project), "workshop.txt", "--python", PYTHON, "--compile-bytecode")
