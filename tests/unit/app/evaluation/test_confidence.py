from pathlib import Path

import numpy as np
import pytest

from app.evaluation.confidence import HIGHEST, choose_threshold, decide, measure_confidence
from app.evaluation.report import Metrics


def test_who_is_unsure_refers() -> None:
    decisions = decide(np.array([0.95, 0.9, 0.89, 0.5, 0.11, 0.1, 0.05]), 0.9)
    assert decisions.tolist() == ["approve", "approve", "refer", "refer", "refer", "deny", "deny"]


def test_the_threshold_is_the_lowest_from_which_on_the_target_holds() -> None:
    rng = np.random.default_rng(1)
    approval = rng.random(20_000)
    y = (rng.random(20_000) < approval).astype(int)
    threshold = choose_threshold(y, approval, 0.95)
    # With calibrated and uniform probabilities the mean confidence above t is (1 + t) / 2.
    assert threshold == pytest.approx(0.9, abs=0.015)
    assert measure_confidence(y, approval, threshold, 0.95).accuracy_confident >= 0.949


def test_where_no_threshold_reaches_the_target_nearly_everything_is_referred() -> None:
    y = np.array([0, 1] * 50)
    assert choose_threshold(y, np.full(100, 0.995), 0.95) == HIGHEST


def test_coverage_and_accuracy_are_of_either_side_of_the_threshold() -> None:
    y = np.array([1, 1, 0, 0, 1, 0])
    found = measure_confidence(y, np.array([0.99, 0.95, 0.92, 0.02, 0.6, 0.7]), 0.9, 0.95)
    assert found.coverage == pytest.approx(4 / 6)
    assert found.accuracy_confident == pytest.approx(3 / 4)
    assert found.accuracy_referred == pytest.approx(1 / 2)
    assert (found.approved, found.denied, found.referred) == (3, 1, 2)


def test_the_trained_model_is_right_more_often_on_what_it_decides_than_on_what_it_refers(
    model_folder: Path,
) -> None:
    confidence = Metrics.model_validate_json((model_folder / "metrics.json").read_bytes()).confidence
    assert confidence.accuracy_confident > 0.93
    assert confidence.accuracy_referred < 0.8
    assert confidence.coverage > 0.7
