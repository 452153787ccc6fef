"""The deploy and preview stages: the Pulumi program with the published image, in the environment.

The cloud is asked each time, since nobody but the cloud knows what runs there; when that is what is wanted
already, nothing is changed. An approved plan (`--approved`) is the only thing that is then carried out.
"""

import json
from collections.abc import Mapping
from typing import Any

import dagger
from dagger import dag

from ci.stages.once import once
from ci.stages.project import Project
from ci.stages.provision import Answer, ask
from ci.stages.publish import published
from ci.stages.result import Result
from ci.stages.train import model


@once
async def released(project: Project) -> Mapping[str, Any]:
    """What is delivered: the image, and what it was made of; nothing where another environment's is taken."""
    image = await published(project)
    if image is None:
        return {}
    lineage = json.loads(await (await model(project)).file("lineage.json").contents())
    return {
        "release": {
            "image": image,
            "commit": project.delivery().target.commit,
            "model": lineage["model_sha256"],
            "data": lineage["data_sha256"],
        }
    }


@once
async def deployed(project: Project) -> Answer:
    """Deploy, once a run."""
    approved = project.delivery().target.approved
    plan: dagger.File | None = dag.host().file(str(approved)) if approved else None
    return await ask(project, "deploy", await released(project), plan=plan)


async def deploy(project: Project) -> Result:
    """Deploy; fails, and moves no traffic, when the new revision does not become ready."""
    answer = await deployed(project)
    return Result((answer.at,), facts={"deployed": dict(answer.said)})


async def preview(project: Project) -> Result:
    """Say what a deploy would change; hands back the plan, for `deploy --approved`."""
    answer = await ask(project, "preview", await released(project))
    return Result((answer.at,), {"plan.json": answer.files.file("plan.json")})
