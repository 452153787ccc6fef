"""The train stage: train and evaluate the model on the project's data."""

import json

import dagger

from ci.stages.once import once
from ci.stages.project import Project
from ci.stages.result import Result
from ci.stages.step import ran_at, step
from ci.stages.tools import PYTHON, trainer

SOURCES = ("app/**/*.py", "app/data/*.csv", "app/data/*.sha256")
NOT_TRAINED_BY = ("app/serving/**", "app/monitoring/**")
OUTPUT = "/out/model"


@once
async def trained(project: Project) -> dagger.Container:
    """The container in which training has run.

    The revision that goes into the model's lineage is the digest of the files that made it, not a commit:
    a commit that leaves them alone must not train again.
    """
    sources = project.files(SOURCES, NOT_TRAINED_BY)
    container = (await trainer(project)).with_mounted_directory("/src", sources)
    command = [PYTHON, "-m", "app.training", "--data", "app/data/loanapp.csv", "--output", OUTPUT]
    return await step(container.with_env_variable("SHIPWAY_REVISION", await sources.digest()), command).sync()


async def model(project: Project) -> dagger.Directory:
    """The trained model with its metrics, schema, lineage and a known case."""
    return (await trained(project)).directory(OUTPUT)


async def train(project: Project) -> Result:
    """Train; hands back the model's folder."""
    container = await trained(project)
    at = await ran_at(container)
    made = container.directory(OUTPUT)
    metrics = json.loads(await made.file("metrics.json").contents())
    return Result((at,), {"model": made}, {"metrics": metrics})
