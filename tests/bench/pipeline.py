"""The pipeline of a fresh clone, beside the same work done by hand."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import by_hand, step
from tests.bench.clone import Clone
from tests.bench.page import Part, Row

PART = Part(
    "The pipeline",
    "Seconds of wall time of whole commands.\n"
    "By hand is the same work as plain processes: no containers, no image, and nothing kept between runs\n"
    "(a person who knows the code leaves training out after a change of the service).",
    ("pipeline", "by hand"),
)
CHANGED = "app/serving/__init__.py"


def measure(below: Path) -> list[Row]:
    """Measure everything in folders below ``below``."""
    clone, hand = Clone.make(below / "pipeline"), Clone.make(below / "hand")
    rows = []

    def add(what: str, asked: str, pipeline: float, hands: float, note: str) -> None:
        digits = 1 if pipeline >= 1 else 4
        rows.append(Row(what, asked, f"{pipeline:.{digits}f}", f"{hands:.{digits}f}", note))
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


def image(below: Path) -> Path:
    """The service's image, as the clone's pipeline has made it."""
    return below / "pipeline/shipway/build/pipeline/image.oci.tar"


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
