"""The web page of a run: one file with nothing outside of it."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from ci.report.model import RunReport


def render(report: RunReport) -> str:
    """The whole page. Whatever is shown is escaped."""
    environment = Environment(
        loader=PackageLoader("ci.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    longest = max((stage.seconds for stage in report.stages), default=0.0) or 1.0
    return environment.get_template("page.html").render(report=report, longest=longest)
