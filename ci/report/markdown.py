"""The job summary of a run, as GitHub-flavoured Markdown."""

from collections.abc import Iterable

from ci.report.model import RunReport

SIGNS = {"passed": "✅", "failed": "❌", "cancelled": "⚪"}


def render(report: RunReport) -> str:
    """The whole summary."""
    parts = [
        f"## Pipeline {'passed' if report.passed else 'failed'} in {report.seconds:.1f} s",
        _stages(report),
    ]
    parts += _failures(report)
    if report.gate:
        parts += ["### Gate", _gate(report)]
    if service := report.service:
        parts += ["### Service", f"<{service['url']}>, revision `{service['revision']}`"]
    if image := report.image:
        size = f"{image['bytes'] / 1e6:.0f} MB compressed"
        parts += ["### Image", f"`{image['digest']}`, {image['layers']} layers, {size}"]
    if report.metrics:
        rows = ((f"`{name}`", f"{value:.6g}") for name, value in report.metrics.items())
        table = _table(("metric", "value"), rows)
        parts += [f"<details><summary>Metrics</summary>\n\n{table}\n\n</details>"]
    if report.artifacts:
        parts += [
            "### Artifacts",
            _table(("what", "where"), ((k, f"`{v}`") for k, v in report.artifacts.items())),
        ]
    return "\n\n".join(parts) + "\n"


def _stages(report: RunReport) -> str:
    rows = (
        (f"{SIGNS[s.status]} {s.name}", s.status, s.source or s.because, f"{s.seconds:.1f}")
        for s in report.stages
    )
    return _table(("stage", "status", "", "seconds"), rows)


def _gate(report: RunReport) -> str:
    rows = (
        (
            f"`{row['metric']}`",
            *("-" if row[key] is None else f"{row[key]:.4g}" for key in ("value", "min", "max")),
            "✅ passed" if row["passed"] else "❌ missed",
        )
        for row in report.gate
    )
    return _table(("metric", "value", "at least", "at most", "verdict"), rows)


def _failures(report: RunReport) -> Iterable[str]:
    for stage in report.stages:
        if (failure := stage.failure) is None:
            continue
        yield f"### {stage.name} failed\n\n{_escape(failure.message)}"
        for step in failure.steps:
            yield f"Command (exit code {step.exit_code}):\n\n{_block(step.command)}"
            for stream, text in step.output.items():
                yield f"Last lines of {stream}:\n\n{_block(text)}"
        yield f"Run it again by itself:\n\n{_block(failure.again)}"


def _block(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *(tuple(_escape(cell) for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
