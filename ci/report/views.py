"""Shows a finished run wherever it is looked for: terminal, output folder, GitHub's job summary."""

import json
import os
from pathlib import Path

from rich.console import Console

from ci.report import terminal
from ci.report.model import RunReport

SUMMARY = "GITHUB_STEP_SUMMARY"


def show(console: Console, report: RunReport, output: Path | None) -> None:
    """Print the summary; write report.html, report.md and report.json to ``output``, and the job summary."""
    pages = []
    if output is not None:
        from ci.report import html, markdown

        texts = {
            "report.html": html.render(report),
            "report.md": markdown.render(report),
            "report.json": json.dumps(report.as_json(), indent=2) + "\n",
        }
        output.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (output / name).write_text(text, encoding="utf-8")
        pages = [output / "report.html"]
    if path := os.environ.get(SUMMARY):
        from ci.report import markdown

        with open(path, "a", encoding="utf-8") as summary:
            summary.write(markdown.render(report))
    terminal.summary(console, report, pages)
