"""`make bench`: measure a fresh clone and write docs/benchmarks.md. Takes about ten minutes."""

import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import by_hand, step
from tests.bench.clone import ROOT, Clone

PAGE = ROOT / "docs/benchmarks.md"
CHANGED = "app/serving/__init__.py"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what was measured, what was asked for, and both results in seconds."""

    what: str
    asked: str
    pipeline: float
    by_hand: float
    note: str


def measure(below: Path) -> list[Row]:
    """Measure everything in folders below ``below``."""
    clone, hand = Clone.make(below / "pipeline"), Clone.make(below / "hand")
    rows = []

    def add(what: str, asked: str, pipeline: float, hands: float, note: str) -> None:
        rows.append(Row(what, asked, pipeline, hands, note))
        print(f"{what}: {pipeline:.2f} s, by hand {hands:.2f} s ({note})", file=sys.stderr)

    cold = clone.seconds("make", "pipeline")
    hand_cold = timed(lambda: (by_hand.setup(hand), by_hand.everything(hand)))
    add("`make pipeline`, fresh clone, cold", "under 360 s", cold, hand_cold, ran(clone))
    again = min(clone.seconds("make", "pipeline") for _ in range(3))
    add("... again, nothing changed", "under 3 s", again, timed(lambda: by_hand.everything(hand)), ran(clone))
    for each in (clone, hand):
        with open(each.folder / CHANGED, "a", encoding="utf-8") as file:
            file.write("\n# changed by the benchmark\n")
    changed = clone.seconds("make", "pipeline")
    hands = timed(lambda: by_hand.after_a_change_of_serving(hand))
    add("... one line of `app/serving` changed", "no training", changed, hands, ran(clone))
    add(
        "a step (`true`) on a cached base, median",
        "under 0.025 s",
        step.embedded(),
        step.process(),
        "uncached",
    )
    return rows


def timed(work) -> float:
    """Seconds that a call takes."""
    started = datetime.now(UTC)
    work()
    return (datetime.now(UTC) - started).total_seconds()


def ran(clone: Clone) -> str:
    """The stages that the last run did not take from the cache."""
    report = json.loads((clone.folder / "build/pipeline/report.json").read_text(encoding="utf-8"))
    names = [stage["name"] for stage in report["stages"] if stage["cached"] is False]
    return f"ran: {', '.join(names)}" if names else "all from the cache"


def page(rows: list[Row]) -> str:
    """The table as a Markdown page."""
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, {system}.",
        "Seconds of wall time of whole commands.",
        "By hand is the same work as plain processes: no containers, no image, and nothing kept between runs",
        "(a person who knows the code leaves training out after a change of the service).",
        "",
        "| what | asked for | pipeline | by hand | |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for row in rows:
        digits = 1 if row.pipeline >= 1 else 4
        figures = f"{row.pipeline:.{digits}f} | {row.by_hand:.{digits}f}"
        lines.append(f"| {row.what} | {row.asked} | {figures} | {row.note} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print the table and write the page."""
    with tempfile.TemporaryDirectory(prefix="shipway-bench-") as below:
        text = page(measure(Path(below)))
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
