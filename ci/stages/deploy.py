"""The deploy stage: a revision of the published image on Cloud Run, ready and with all of the traffic.

It asks the cloud each time, since nobody but the cloud knows what runs there; when that is what is wanted
already, nothing is changed.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import dagger

from ci.stages.build import PORT
from ci.stages.once import once
from ci.stages.project import Project
from ci.stages.publish import published
from ci.stages.result import Result
from ci.stages.step import ran_at, step
from ci.stages.tools import PYTHON, client

INSIDE = Path(__file__).parent / "inside"
DEPLOY = (INSIDE / "deploy.py").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Deployed:
    """What serves now: a revision's short name, the service's URL, and when that was seen."""

    revision: str
    url: str
    changed: bool
    at: float


@once
async def deployed(project: Project) -> Deployed:
    """Deploy, once a run."""
    delivery = project.delivery()
    wanted = json.dumps(wish(project, await published(project)), sort_keys=True)
    container = delivery.within_reach(await client(project))
    done = step(
        fresh(container).with_new_file("/in/deploy.py", DEPLOY).with_new_file("/in/wanted.json", wanted),
        [PYTHON, "/in/deploy.py", delivery.api, "/in/wanted.json"],
    )
    at = await ran_at(done)
    answer: Mapping[str, Any] = json.loads(await done.stdout())
    return Deployed(answer["revision"], answer["url"], answer["changed"], at)


def wish(project: Project, image: str) -> dict[str, Any]:
    """The service as it is to be: what inside/deploy.py is told."""
    delivery = project.delivery()
    return {
        "name": f"{delivery.parent}/services/{delivery.service}",
        "image": image,
        "port": PORT,
        "labels": {"environment": delivery.environment, "commit": delivery.commit[:40]},
        "variables": {"SHIPWAY_REVISION": delivery.commit, "SHIPWAY_IMAGE": image},
    }


def fresh(container: dagger.Container) -> dagger.Container:
    """The container, with what comes after it never taken from a cache."""
    return container.with_env_variable("SHIPWAY_ASKED_AT", str(time.time_ns()))


async def deploy(project: Project) -> Result:
    """Deploy the published image; fails, and moves no traffic, when its revision does not become ready."""
    found = await deployed(project)
    return Result((found.at,), facts={"deployed": asdict(found)})
