"""Runs inside a container: holds a metrics.json against thresholds, and writes the verdict as a table.

Usage: judge.py METRICS THRESHOLDS TABLE, all JSON. Standard library only. A verdict against the model is a
result like any other, so the exit code is 0 with it.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any


def value_of(metrics: Any, name: str) -> float | None:
    """The number at a dotted name such as ``fairness.black.gap``, or none when there is no such number."""
    for part in name.split("."):
        metrics = metrics.get(part) if isinstance(metrics, dict) else None
    if isinstance(metrics, bool) or not isinstance(metrics, int | float) or not math.isfinite(metrics):
        return None
    return float(metrics)


def judge(metrics: Any, thresholds: dict[str, dict[str, float | None]]) -> list[dict[str, Any]]:
    """One row a threshold: metric, value, min, max, passed. A metric that isn't there has not passed."""
    rows = []
    for name, bounds in sorted(thresholds.items()):
        value, low, high = value_of(metrics, name), bounds["min"], bounds["max"]
        passed = value is not None and (low is None or value >= low) and (high is None or value <= high)
        rows.append({"metric": name, "value": value, "min": low, "max": high, "passed": passed})
    return rows


def main(metrics: str, thresholds: str, table: str) -> None:
    """Read two JSON files and write the third."""
    rows = judge(*(json.loads(Path(path).read_text(encoding="utf-8")) for path in (metrics, thresholds)))
    Path(table).parent.mkdir(parents=True, exist_ok=True)
    Path(table).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
