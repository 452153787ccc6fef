"""The verify stage: the deployed service answers the known case, and says what it is."""

import json
from pathlib import Path

from ci.stages.deploy import deployed
from ci.stages.project import Project
from ci.stages.result import Result
from ci.stages.smoke import ASK
from ci.stages.step import fresh, ran_at, step
from ci.stages.train import model

VERIFY = (Path(__file__).parent / "inside" / "verify.py").read_text(encoding="utf-8")


async def verify(project: Project) -> Result:
    """Ask the service from a container, through the cloud's front; its revision, image and commit as well."""
    delivery = project.delivery()
    found = dict((await deployed(project)).said)
    asked = step(
        fresh(delivery.within_reach(project.base))
        .with_new_file("/in/ask.py", ASK)
        .with_new_file("/in/verify.py", VERIFY)
        .with_new_file("/in/expected.json", json.dumps({**found, "name": delivery.service}, sort_keys=True))
        .with_mounted_file("/in/known_case.json", (await model(project)).file("known_case.json")),
        ["python3", "/in/verify.py", found["url"], delivery.services, delivery.url("run")],
    )
    at = await ran_at(asked)
    return Result((at,), facts={"service": {"url": found["url"], **json.loads(await asked.stdout())}})
