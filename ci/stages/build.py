"""The build stage: a small OCI image of the service with the trained model in it.

The same inputs give the same digest, on a cold cache too: what goes into the image has its times pinned,
nothing in it tells when or by which commit it was built, and it is put together from directories rather
than left over from a command.
"""

import json
from pathlib import Path

import dagger
from dagger import dag

from ci.stages.once import once
from ci.stages.project import Project
from ci.stages.result import Result
from ci.stages.step import ran_at, step
from ci.stages.tools import install, with_uv
from ci.stages.train import model

SOURCES = ("app/**/*.py", "app/**/*.html")
PORT = 8080
NOBODY = "65532:65532"
BYTECODE = (Path(__file__).parent / "inside" / "bytecode.py").read_text(encoding="utf-8")
INSPECT = (Path(__file__).parent / "inside" / "inspect_image.py").read_text(encoding="utf-8")
EPOCH = 0


@once
async def packages(project: Project) -> dagger.Directory:
    """The service's Python packages, without scripts and their own tests."""
    target = "/out/lib"
    container = install(
        project, await with_uv(project), "serve.txt", "--target", target, "--no-compile-bytecode"
    )
    return container.directory(target).filter(
        exclude=["bin", ".lock", "**/__pycache__", "sklearn/**/tests", "scipy/**/tests"]
    )


@once
async def bytecode(project: Project) -> dagger.Directory:
    """The bytecode of the packages and of Python's own library: a start without it compiles for seconds."""
    compiled = step(
        project.base.with_directory("/srv/lib", await packages(project))
        .with_new_file("/in/bytecode.py", BYTECODE)
        .with_env_variable("PYTHONHASHSEED", "0"),
        ["python3", "/in/bytecode.py", "/out", "/srv/lib"],
    )
    return compiled.directory("/out")


@once
async def image(project: Project) -> dagger.Container:
    """The service's image, ready to run as an unprivileged user."""
    sources = project.files(SOURCES)
    served_model = await model(project)
    lower = dag.directory().with_directory("/", await bytecode(project))
    lower = lower.with_directory("srv/lib", await packages(project))
    upper = dag.directory().with_directory("srv", sources).with_directory("srv/model", served_model)
    labels = {
        "org.opencontainers.image.title": project.settings.name,
        "org.opencontainers.image.description": project.settings.description,
        "org.opencontainers.image.version": project.settings.version,
        "org.opencontainers.image.licenses": "Apache-2.0",
        # What it was built from, by content: a commit that changes nothing of it makes the same image.
        "org.opencontainers.image.revision": await upper.digest(),
    }
    container = (
        project.base.with_directory("/", lower.with_timestamps(EPOCH))
        .with_directory("/", upper.with_timestamps(EPOCH))
        .with_workdir("/srv")
        .with_env_variable("PYTHONPATH", "/srv/lib")
        .with_env_variable("PYTHONDONTWRITEBYTECODE", "1")
        .with_env_variable("PYTHONUNBUFFERED", "1")
        .with_env_variable("PORT", str(PORT))
        .with_user(NOBODY)
        .with_exposed_port(PORT)
        .with_entrypoint(["python3", "-m", "app.serving"])
        .with_default_args(["--host", "0.0.0.0", "--model", "/srv/model"])  # noqa: S104  # a container's own
    )
    for name, value in labels.items():
        container = container.with_label(name, value).with_annotation(name, value)
    return container


@once
async def build(project: Project) -> Result:
    """Build the image, once a run; hands back an OCI archive, with its digest and size among the facts."""
    archive = await (await image(project)).as_tarball().sync()
    inspected = step(
        project.base.with_mounted_file("/in/image.tar", archive).with_new_file("/in/inspect.py", INSPECT),
        ["python3", "/in/inspect.py", "/in/image.tar", "/out/image.json"],
    )
    at = await ran_at(inspected)
    facts = json.loads(await inspected.file("/out/image.json").contents())
    return Result((at,), {"image.oci.tar": archive}, {"image": facts})
