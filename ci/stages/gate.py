"""The gate stage: fails the run when the model is not good enough."""

import json
from dataclasses import asdict
from pathlib import Path

from ci.stages.project import Project
from ci.stages.result import Result, StageFailed
from ci.stages.step import ran_at, step
from ci.stages.train import model

JUDGE = (Path(__file__).parent / "inside" / "judge.py").read_text(encoding="utf-8")


async def gate(project: Project) -> Result:
    """Hold metrics.json against the thresholds of pyproject.toml; hands back the table as gate.json.

    Raises:
        StageFailed: a threshold is missed. The table is among its facts.
    """
    thresholds = {metric: asdict(bounds) for metric, bounds in project.settings.gate.items()}
    judged = step(
        project.base.with_mounted_file("/in/metrics.json", (await model(project)).file("metrics.json"))
        .with_new_file("/in/judge.py", JUDGE)
        .with_new_file("/in/thresholds.json", json.dumps(thresholds, sort_keys=True)),
        ["python3", "/in/judge.py", "/in/metrics.json", "/in/thresholds.json", "/out/gate.json"],
    )
    at = await ran_at(judged)
    verdict = judged.file("/out/gate.json")
    table = json.loads(await verdict.contents())
    if missed := [row["metric"] for row in table if not row["passed"]]:
        raise StageFailed(f"The model misses its threshold for {', '.join(missed)}.", {"gate": table})
    return Result((at,), {"gate.json": verdict}, {"gate": table})
