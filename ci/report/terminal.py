"""The terminal's view of a run: a line when a stage begins and ends, then what came of it all."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ci.graph import Graph, Plan
from ci.report.model import RunReport, StageReport

MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "cancelled": ("-", "yellow")}


def show_plan(console: Console, graph: Graph, plan: Plan) -> None:
    """Print the graph, and what of it would run."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("stage", "needs", "would run", "what it does"):
        table.add_column(column, no_wrap=column == "stage", overflow="fold")
    planned = {stage.name for stage in plan.run}
    for stage in graph:
        would = "yes" if stage.name in planned else f"no: {plan.left_out[stage.name]}"
        table.add_row(stage.name, ", ".join(stage.needs) or "-", would, stage.summary)
    console.print(table)


def begin(console: Console, name: str) -> None:
    """Print that a stage begins."""
    console.print(f"  {name:<10} started", style="dim", highlight=False)


def end(console: Console, stage: StageReport) -> None:
    """Print how a stage ended."""
    mark, colour = MARKS[stage.status]
    how = f"[{colour}]{stage.status:<9}[/] {stage.seconds:7.2f} s  {stage.source or stage.because}"
    console.print(f"[{colour}]{mark}[/] {stage.name:<10} {how}", highlight=False)


def summary(console: Console, report: RunReport, pages: Sequence[Path]) -> None:
    """Print the end of a run: the gate's table, failures with what to do, and where everything is."""
    console.print()
    for stage in report.stages:
        end(console, stage)
    console.print()
    if report.gate:
        console.print(_gate(report))
        console.print()
    for stage in report.stages:
        if stage.failure:
            _failure(console, stage)
    if image := report.image:
        size = f"{image['bytes'] / 1e6:.0f} MB compressed"
        console.print(f"image      {image['digest']}  {size}", highlight=False, soft_wrap=True)
    if service := report.service:
        console.print(f"service    {service['url']}  {service['revision']}", highlight=False, soft_wrap=True)
    for name, path in report.artifacts.items():
        console.print(f"{name:<10} {escape(path)}", highlight=False, soft_wrap=True)
    for page in pages:
        console.print(f"report     {escape(str(page))}", highlight=False, soft_wrap=True)
    cached = sum(stage.cached is True for stage in report.stages)
    counts = [f"{n} {word}" for word in MARKS if (n := sum(stage.status == word for stage in report.stages))]
    console.print(
        f"[bold {'green' if report.passed else 'red'}]{', '.join(counts)}[/], {cached} from cache,"
        f" in {report.seconds:.1f} s",
        highlight=False,
    )


def _gate(report: RunReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("metric", "value", "at least", "at most", "verdict"):
        table.add_column(column, justify="left" if column in {"metric", "verdict"} else "right")
    for row in report.gate:
        value, low, high = ("-" if row[key] is None else f"{row[key]:.4g}" for key in ("value", "min", "max"))
        verdict = "[green]passed[/]" if row["passed"] else "[red]MISSED[/]"
        table.add_row(row["metric"], value, low, high, verdict)
    return table


def _failure(console: Console, stage: StageReport) -> None:
    failure = stage.failure
    if failure is None:
        return
    console.print(
        f"[red bold]{stage.name} failed.[/] {escape(failure.message)}", highlight=False, soft_wrap=True
    )
    for step in failure.steps:
        console.print(f"  command    {escape(step.command)}", highlight=False, soft_wrap=True)
        console.print(f"  exit code  {step.exit_code}", highlight=False)
        for stream, text in step.output.items():
            console.print(f"  last lines of {stream}:", highlight=False)
            for line in text.splitlines():
                console.print(f"    {escape(line)}", highlight=False, soft_wrap=True)
    console.print(f"  run it again by itself: {escape(failure.again)}", highlight=False, soft_wrap=True)
    console.print()
