"""The provision stage, and the Pulumi program in a container that it shares with preview and deploy.

Where Pulumi keeps its stacks on this machine is where the pipeline finds them, so `pulumi up` by hand and the
pipeline are about the same stacks. In the containers they are in a cache volume, which a kill leaves whole;
whichever of the two was written last is the truth, and the other one follows (inside/stack.py).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagger
from dagger import dag

from ci.stages.delivery import Delivery
from ci.stages.once import once
from ci.stages.project import Project
from ci.stages.result import Result, StageFailed
from ci.stages.step import fresh, ran_at, step
from ci.stages.tools import PYTHON, VENV, install, with_venv
from ci.target import PASSPHRASE

STACK = (Path(__file__).parent / "inside" / "stack.py").read_text(encoding="utf-8")
SOURCES = (
    "infra/*.py",
    "infra/Pulumi*.yaml",
    "infra/components/**/*.py",
    "infra/policies/**/*.py",
    "infra/settings/**/*.py",
    "infra/engine/**/*.py",
    "infra/engine/**/*.schema",
)
#: What of Pulumi's folder goes between this machine and the containers.
STATE = (".pulumi/meta.yaml", ".pulumi/stacks/**", ".pulumi/history/**", ".pulumi/backups/**")
_TAIL = 40  # lines that a failure shows


@dataclass(frozen=True, slots=True)
class Answer:
    """What inside/stack.py said, when that was, and the files that it left in /out."""

    said: Mapping[str, Any]
    at: float
    files: dagger.Directory


@once
async def sources(project: Project) -> tuple[dagger.Directory, str]:
    """The program and the embedded engine, and their digest."""
    directory = project.files(SOURCES)
    return directory, await directory.digest()


@once
async def program(project: Project) -> dagger.Container:
    """The container that the program runs in: Pulumi, Google's provider, the program, the embedded engine."""
    made = await with_venv(project)
    packages = install(project, made, "provision.txt", "--python", PYTHON, "--no-compile-bytecode")
    # What the program imports is compiled here, once: the provider has a thousand modules that it does not.
    return (
        packages.with_directory("/src", (await sources(project))[0])
        .with_env_variable("PYTHONPATH", "/src")
        .with_exec(["ln", "-s", VENV, "/src/.venv"])
        .with_workdir("/src/infra")
        .with_exec([PYTHON, "-c", "import infra.components, infra.policies, infra.engine.cli"])
    )


async def ask(
    project: Project, action: str, wish: Mapping[str, Any], *, plan: dagger.File | None = None
) -> Answer:
    """Have inside/stack.py do something with the environment's stack.

    Raises:
        StageFailed: it was not done; the text has the end of what Pulumi said. State that was written until
            then is kept.
    """
    delivery = project.delivery()
    told = {**_place(delivery), **wish, "sources": (await sources(project))[1]}
    container = (
        fresh(_with_state(delivery.within_reach(await program(project)), delivery))
        .with_new_file("/in/stack.py", STACK)
        .with_new_file("/in/wish.json", json.dumps(told, sort_keys=True))
    )
    if plan is not None:
        container = container.with_mounted_file("/in/plan.json", plan)
    done = step(container, [PYTHON, "/in/stack.py", action], expect=dagger.ReturnType.ANY)
    at = await ran_at(done)
    files = done.directory("/out")
    if delivery.target.state is not None:
        await files.directory("state").export(str(delivery.target.state))
    if await done.exit_code():
        lines = (await done.stderr()).strip().splitlines()[-_TAIL:]
        text = "\n".join([f"The stack {delivery.environment} was not brought up to date:", *lines])
        raise StageFailed(text, {})
    return Answer(json.loads(await files.file("answer.json").contents()), at, files)


def _with_state(container: dagger.Container, delivery: Delivery) -> dagger.Container:
    # Stacks of another folder are others: each has a volume of its own.
    folder = hashlib.sha256(str(delivery.target.state or "").encode()).hexdigest()[:16]
    volume = dag.cache_volume(f"shipway-pulumi-{folder}")
    container = container.with_mounted_cache("/state", volume, sharing=dagger.CacheSharingMode.LOCKED)
    if delivery.passphrase is not None:
        container = container.with_secret_variable(PASSPHRASE, delivery.passphrase)
    if delivery.target.state is not None:
        here = dag.host().directory(str(delivery.target.state), include=list(STATE), no_cache=True)
        container = container.with_mounted_directory("/here", here)
    return container


def _place(delivery: Delivery) -> dict[str, str]:
    return {
        "stack": delivery.environment,
        "service": f"{delivery.url('run')}/v2/{delivery.service}",
        "repository": f"{delivery.url('artifactregistry')}/v1/{delivery.repository}",
    }


@once
async def provisioned(project: Project) -> Answer:
    """Lay an environment's foundation, once a run; nothing is done where there is one."""
    return await ask(project, "foundation", {})


async def provision(project: Project) -> Result:
    """Lay the environment's foundation: a registry for its images, identities, alerts."""
    answer = await provisioned(project)
    return Result((answer.at,), facts={"provisioned": answer.said})
