import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.data import Table
from app.evaluation.report import Metrics
from app.monitoring.dashboard import render
from app.monitoring.drift import DriftCounter
from app.monitoring.telemetry import Telemetry
from app.training.features import POSITION
from app.training.reference import describe


@pytest.fixture
def telemetry(table: Table) -> Telemetry:
    made = Telemetry()
    made.watch("ab" * 32, DriftCounter(describe(table.inputs, 0.2)))
    made.decided([("approve", 0.97), ("approve", 0.95), ("refer", 0.7), ("deny", 0.93)])
    return made


@pytest.fixture
def metrics(model_folder: Path) -> Metrics:
    return Metrics.model_validate_json((model_folder / "metrics.json").read_bytes())


def shift(telemetry: Telemetry, table: Table) -> None:
    shifted = table.inputs.copy()
    shifted[:, POSITION["obligation_ratio"]] += 15
    assert telemetry.drift is not None
    telemetry.drift.add(shifted)


def test_metrics_count_decisions_and_the_share_handed_to_a_human(telemetry: Telemetry) -> None:
    text = telemetry.render().decode()
    assert 'loan_decisions_total{decision="approve"} 2.0' in text
    assert "loan_low_confidence_share 0.25" in text
    assert 'loan_confidence_bucket{le="0.95"} 3.0' in text


def test_metrics_give_drift_by_input_once_there_is_enough_to_tell(telemetry: Telemetry, table: Table) -> None:
    assert "loan_input_drift{" not in telemetry.render().decode()
    shift(telemetry, table)
    found = re.search(r'loan_input_drift\{input="obligation_ratio"\} ([\d.]+)', telemetry.render().decode())
    assert found is not None
    assert float(found[1]) > 0.25


def test_the_dashboard_shows_quality_fairness_confidence_drift_and_decisions(
    metrics, telemetry, table
) -> None:
    shift(telemetry, table)
    page = render(metrics, "ab" * 32, telemetry)
    for heading in ("decisions", "drift", "quality", "confidence", "fairness"):
        assert f'<h2 id="{heading}">' in page
    assert f"{metrics.cv.model.roc_auc.mean:.3f}" in page
    assert "25.0%" in page
    assert re.search(r"obligation_ratio</th><td>[\d.]+</td>\s*<td>major shift", page)


class Page(HTMLParser):
    """Collects what the accessibility and the privacy of a page hang on."""

    def __init__(self) -> None:
        super().__init__()
        self.language = ""
        self.tables = self.captions = 0
        self.headers_without_scope = 0
        self.addresses: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.language = given.get("lang", self.language) if tag == "html" else self.language
        self.tables += tag == "table"
        self.captions += tag == "caption"
        self.headers_without_scope += tag == "th" and "scope" not in given
        self.scripts += tag == "script"
        self.addresses += [value for name, value in attrs if name in {"src", "href"}]


def test_the_dashboard_loads_nothing_from_elsewhere_and_its_tables_can_be_read_aloud(
    metrics, telemetry
) -> None:
    page = Page()
    page.feed(render(metrics, "<b>not a digest</b>", telemetry))
    assert (page.scripts, page.addresses) == (0, [])
    assert page.language == "en"
    assert page.tables == page.captions >= 3
    assert page.headers_without_scope == 0


def test_the_dashboard_escapes_what_it_is_given(metrics, telemetry) -> None:
    assert "<b>" not in render(metrics, "<b>not a digest</b>", telemetry)
