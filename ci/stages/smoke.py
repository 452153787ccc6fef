"""The smoke stage: start the built image as a service, and ask it a case whose answer is known."""

from pathlib import Path

from ci.stages.build import PORT, image
from ci.stages.project import Project
from ci.stages.result import Result
from ci.stages.step import ran_at, step
from ci.stages.train import model

ASK = (Path(__file__).parent / "inside" / "ask.py").read_text(encoding="utf-8")


async def smoke(project: Project) -> Result:
    """Call the service from a second container; fails unless it answers as training said it would."""
    service = (await image(project)).as_service(use_entrypoint=True)
    known_case = (await model(project)).file("known_case.json")
    asked = step(
        project.base.with_service_binding("service", service)
        .with_new_file("/in/ask.py", ASK)
        .with_mounted_file("/in/known_case.json", known_case),
        ["python3", "/in/ask.py", f"http://service:{PORT}", "/in/known_case.json"],
    )
    return Result((await ran_at(asked),), facts={"answer": (await asked.stdout()).strip()})
