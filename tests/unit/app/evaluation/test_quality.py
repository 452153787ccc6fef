from pathlib import Path

import numpy as np
import pytest

from app.evaluation.crossval import Plan, compare
from app.evaluation.quality import expected_calibration_error, measure, reliability
from app.evaluation.report import Metrics


@pytest.fixture(scope="module")
def metrics(model_folder: Path) -> Metrics:
    return Metrics.model_validate_json((model_folder / "metrics.json").read_bytes())


def test_the_model_beats_the_logistic_baseline_by_more_than_one_deviation_of_the_difference(metrics) -> None:
    lift = metrics.cv.lift
    assert lift.mean > lift.std > 0
    assert lift.mean > 0.02
    assert lift.corrected_t > 1.7, "one-sided 5% for the 9 degrees of freedom of the shortened run"


def test_the_baselines_are_honest_ones(metrics) -> None:
    assert metrics.cv.dummy.roc_auc.mean == 0.5
    assert metrics.cv.logistic.roc_auc.mean > 0.8
    assert metrics.holdout.logistic.accuracy > metrics.holdout.dummy.accuracy


def test_held_out_quality_is_near_the_cross_validated_and_well_calibrated(metrics) -> None:
    spread = metrics.cv.model.roc_auc
    assert abs(metrics.holdout.roc_auc - spread.mean) < 2 * spread.std
    assert metrics.holdout.brier < metrics.holdout.dummy.brier
    assert metrics.holdout.brier < metrics.holdout.logistic.brier
    assert metrics.holdout.ece < 0.05


def test_figures_are_not_so_good_that_something_must_leak(metrics) -> None:
    assert metrics.holdout.roc_auc < 0.92
    assert metrics.cv.model.roc_auc.mean < 0.9


def test_perfect_probabilities_have_no_error() -> None:
    y = np.array([0, 1] * 50)
    quality = measure(y, y.astype(float))
    assert (quality.roc_auc, quality.brier, quality.ece) == (1.0, 0.0, 0.0)


def test_calibration_error_is_the_distance_of_predicted_from_observed() -> None:
    y = np.array([1, 1, 1, 0] * 50)
    assert expected_calibration_error(y, np.full(200, 0.75)) == pytest.approx(0.0, abs=0.05)
    assert expected_calibration_error(np.ones(200, dtype=int), np.full(200, 0.6)) == pytest.approx(0.4)


def test_reliability_bins_share_all_rows_from_the_lowest_up() -> None:
    rng = np.random.default_rng(0)
    bins = reliability(rng.integers(0, 2, 103), rng.random(103))
    assert sum(part.rows for part in bins) == 103
    predicted = [part.predicted for part in bins]
    assert predicted == sorted(predicted)


def test_the_difference_is_taken_fold_by_fold() -> None:
    model, logistic = np.array([0.9, 0.7, 0.8, 0.6]), np.array([0.8, 0.6, 0.7, 0.6])
    lift = compare(model, logistic, Plan(folds=2, repeats=2, seed=0))
    assert lift.mean == pytest.approx(0.075)
    assert lift.std == pytest.approx(0.05)
    assert lift.in_std == pytest.approx(1.5)
    assert lift.in_logistic_std == pytest.approx(0.075 / np.std(logistic, ddof=1))
    assert lift.folds_won == 0.75
    assert lift.corrected_t == pytest.approx(0.075 / (0.05 * np.sqrt(1 / 4 + 1)))
