"""What happened is shown on the terminal, as Markdown and as a web page, and no secret with it."""

import io
import json
from html.parser import HTMLParser

import pytest
from rich.console import Console

from ci.report import html, markdown, terminal, views
from ci.report.model import FailedStep, Failure, RunReport, StageReport, without_credentials

GATE = [
    {"metric": "cv.auc", "value": 0.853, "min": 0.83, "max": None, "passed": True},
    {"metric": "ece", "value": None, "min": None, "max": 0.05, "passed": False},
]
FAILED = Failure(
    message="A step failed.",
    again="python ci/main.py --only lint",
    steps=(FailedStep("ruff check <here>", 1, {"stderr": "E501 | too long\n[red]not markup[/red] & <b>"}),),
)
REPORT = RunReport(
    started="2026-01-02T03:04:05+00:00",
    seconds=12.3,
    exit_code=1,
    stages=(
        StageReport(
            "train",
            "trains",
            "passed",
            4.0,
            cached=True,
            facts={"metrics": {"a": {"b": 0.5}, "n": 3, "s": "x"}},
        ),
        StageReport("gate", "judges", "passed", 0.1, cached=False, facts={"gate": GATE}),
        StageReport(
            "build",
            "builds",
            "passed",
            2.0,
            cached=False,
            facts={"image": {"digest": "sha256:ab", "layers": 3, "bytes": 2e8}},
        ),
        StageReport("lint", "lints", "failed", 1.5, failure=FAILED),
        StageReport("smoke", "asks", "cancelled", because="needs build"),
    ),
    artifacts={"model": "out/model"},
    revision="abc123",
)


def text(report=REPORT):
    stream = io.StringIO()
    console = Console(file=stream, width=200)
    for stage in report.stages:
        terminal.begin(console, stage.name)
        terminal.end(console, stage)
    terminal.summary(console, report, [])
    return stream.getvalue()


def test_the_terminal_is_plain_when_it_is_no_terminal():
    shown = text()
    assert "\x1b" not in shown
    lines = {line.split()[1]: line for line in shown.splitlines() if line[:1] in "✓✗-" and line.strip()}
    assert lines["train"].split()[2:] == ["passed", "4.00", "s", "cached"]
    assert lines["gate"].split()[-1] == "ran"
    assert "needs build" in lines["smoke"]


def test_the_terminal_says_what_failed_and_how_to_run_it_again():
    shown = text()
    for line in (
        "lint failed. A step failed.",
        "  command    ruff check <here>",
        "  exit code  1",
        "    [red]not markup[/red] & <b>",
        "  run it again by itself: python ci/main.py --only lint",
        "image      sha256:ab  200 MB compressed",
        "model      out/model",
        "3 passed, 1 failed, 1 cancelled, 1 from cache, in 12.3 s",
    ):
        assert line in shown


def test_the_gates_table_says_which_threshold_is_missed():
    rows = [line.split() for line in text().splitlines() if line.startswith(("cv.auc", "ece"))]
    assert rows == [["cv.auc", "0.853", "0.83", "-", "passed"], ["ece", "-", "-", "0.05", "MISSED"]]


def test_the_summary_is_markdown_that_survives_odd_text():
    shown = markdown.render(REPORT)
    assert "## Pipeline failed in 12.3 s" in shown
    assert "| ✅ train | passed | cached | 4.0 |" in shown
    assert "| `ece` | - | - | 0.05 | ❌ missed |" in shown
    assert "```text\nE501 | too long" in shown
    assert "| `a.b` | 0.5 |" in shown


class Page(HTMLParser):
    """Collects tags, ids and text, and that every tag is closed."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.labels, self.words, self.outside = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.labels += [attributes["aria-labelledby"]] if "aria-labelledby" in attributes else []
        self.outside += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_whole_labelled_escaped_and_by_itself():
    rendered = html.render(REPORT)
    page = Page()
    page.feed(rendered)
    assert page.open == []
    assert page.outside == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.labels) <= set(page.ids)
    assert '<html lang="en">' in rendered
    assert "[red]not markup[/red] & <b>" in "".join(page.words)
    for word in (
        "train",
        "sha256:ab",
        "out/model",
        "python ci/main.py --only lint",
        "cv.auc",
        "missed",
        "abc123",
    ):
        assert word in rendered


def test_a_page_of_a_run_that_stopped_early_is_still_a_page():
    page = Page()
    page.feed(html.render(RunReport("2026-01-02T03:04:05+00:00", 0.0, 3, ())))
    assert page.open == []


def test_everything_is_written_where_it_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    stream = io.StringIO()
    views.show(Console(file=stream, width=300), REPORT, tmp_path / "out")
    assert json.loads((tmp_path / "out/report.json").read_text())["exit_code"] == 1
    assert (tmp_path / "summary.md").read_text() == (tmp_path / "out/report.md").read_text()
    assert str(tmp_path / "out/report.html") in stream.getvalue()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("https://user:pass@host/simple", "https://***@host/simple"),
        ("https://token@host/simple", "https://***@host/simple"),
        ("see https://host/a?b=c@d and http://u:p@h:1/", "see https://host/a?b=c@d and http://***@h:1/"),
        ("mail a@b", "mail a@b"),
    ],
)
def test_what_stands_before_a_hosts_name_is_never_shown(said, shown):
    assert without_credentials(said) == shown
