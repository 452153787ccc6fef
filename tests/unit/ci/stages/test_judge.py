"""The gate's verdict: a threshold is met by a number within its bounds, and by nothing else."""

import json
import subprocess
import sys

import pytest

from ci.stages.inside import judge

METRICS = {
    "cv": {"auc": {"mean": 0.85}},
    "ece": 0.03,
    "rows": 100,
    "ok": True,
    "broken": float("nan"),
    "text": "0.9",
}


def verdict(metric, low=None, high=None):
    [row] = judge.judge(METRICS, {metric: {"min": low, "max": high}})
    return row["passed"], row["value"]


@pytest.mark.parametrize(
    ("metric", "low", "high", "passed"),
    [
        ("cv.auc.mean", 0.8, None, True),
        ("cv.auc.mean", 0.85, None, True),
        ("cv.auc.mean", 0.86, None, False),
        ("ece", None, 0.05, True),
        ("ece", None, 0.02, False),
        ("rows", 100, 100, True),
    ],
)
def test_a_value_is_held_against_its_bounds(metric, low, high, passed):
    assert verdict(metric, low, high)[0] is passed


@pytest.mark.parametrize("metric", ["nothing", "cv.auc", "cv.auc.mean.more", "ok", "broken", "text"])
def test_what_is_no_number_has_not_passed(metric):
    assert verdict(metric, low=-1e9) == (False, None)


def test_the_table_is_written_as_json_whatever_the_verdict(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps({"auc": 0.5}))
    (tmp_path / "t.json").write_text(json.dumps({"auc": {"min": 0.8, "max": None}}))
    paths = [str(tmp_path / name) for name in ("m.json", "t.json", "out/table.json")]
    subprocess.run([sys.executable, "-I", judge.__file__, *paths], check=True)
    table = json.loads((tmp_path / "out/table.json").read_text())
    assert table == [{"metric": "auc", "value": 0.5, "min": 0.8, "max": None, "passed": False}]
