"""The page at /dashboard: what the model's owner wants to see, as one HTML document without scripts."""

import functools
from pathlib import Path

import jinja2

from app.evaluation.report import Metrics
from app.monitoring.drift import FEWEST, NOTABLE
from app.monitoring.telemetry import Telemetry


@functools.cache
def _template() -> jinja2.Template:
    # StrictUndefined: a figure that was renamed must fail a test, not show as nothing.
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string((Path(__file__).parent / "dashboard.html").read_text(encoding="utf-8"))


def render(metrics: Metrics, model_sha256: str, telemetry: Telemetry) -> str:
    """The page for a model's metrics and what the running service has seen."""
    drift = telemetry.drift.index() if telemetry.drift is not None else {}
    return _template().render(
        metrics=metrics,
        model_sha256=model_sha256,
        totals=telemetry.totals,
        referred_share=telemetry.low_confidence_share,
        drift=sorted(drift.items(), key=lambda pair: -pair[1]),
        notable=NOTABLE,
        fewest=FEWEST,
    )
