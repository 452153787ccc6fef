"""Repeated stratified cross-validation of several estimators on the same folds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold

from app.evaluation.fit import fitted
from app.evaluation.report import CrossValidation, Lift, Ranking, Spread

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Build = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How often to split, into how many folds, and from which seed."""

    folds: int = 5
    repeats: int = 10
    seed: int = 1990


def cross_validate(builds: Mapping[str, Build], inputs: Floats, y: Labels, plan: Plan) -> CrossValidation:
    """Score ``dummy``, ``logistic`` and ``model`` fold by fold, and the paired difference of the last two."""
    splits = RepeatedStratifiedKFold(n_splits=plan.folds, n_repeats=plan.repeats, random_state=plan.seed)
    # Processes: threads would wait for the interpreter half of the time. Where there can be none, joblib does
    # without.
    scores = Parallel(n_jobs=2)(
        delayed(_score_fold)(builds, inputs, y, train, test) for train, test in splits.split(inputs, y)
    )
    auc = {name: np.array([fold[name][0] for fold in scores]) for name in builds}
    precision = {name: np.array([fold[name][1] for fold in scores]) for name in builds}
    ranking = {
        name: Ranking(roc_auc=_spread(auc[name]), average_precision_denied=_spread(precision[name]))
        for name in builds
    }
    return CrossValidation(
        folds=plan.folds,
        repeats=plan.repeats,
        seed=plan.seed,
        dummy=ranking["dummy"],
        logistic=ranking["logistic"],
        model=ranking["model"],
        lift=compare(auc["model"], auc["logistic"], plan),
    )


def compare(model: Floats, logistic: Floats, plan: Plan) -> Lift:
    """The paired difference of fold scores, (folds * repeats,) each, in the order of the folds."""
    difference = model - logistic
    mean, std = float(difference.mean()), float(difference.std(ddof=1))
    # Nadeau and Bengio: the variance of a mean over n overlapping splits is s^2 (1/n + n_test/n_train).
    corrected = std * float(np.sqrt(1.0 / difference.size + 1.0 / (plan.folds - 1)))
    return Lift(
        mean=mean,
        std=std,
        in_std=_ratio(mean, std),
        in_logistic_std=_ratio(mean, float(logistic.std(ddof=1))),
        repeat_std=float(difference.reshape(plan.repeats, plan.folds).mean(axis=1).std(ddof=1)),
        folds_won=float((difference > 0).mean()),
        corrected_t=_ratio(mean, corrected),
    )


def _score_fold(
    builds: Mapping[str, Build],
    inputs: Floats,
    y: Labels,
    train: npt.NDArray[np.intp],
    test: npt.NDArray[np.intp],
) -> dict[str, tuple[float, float]]:
    scores = {}
    for name, build in builds.items():
        approval = fitted(build(), inputs[train], y[train]).predict_proba(inputs[test])[:, 1]
        scores[name] = (
            float(roc_auc_score(y[test], approval)),
            float(average_precision_score(1 - y[test], 1.0 - approval)),
        )
    return scores


def _spread(scores: Floats) -> Spread:
    return Spread(
        mean=float(scores.mean()),
        std=float(scores.std(ddof=1)),
        min=float(scores.min()),
        max=float(scores.max()),
    )


def _ratio(value: float, by: float) -> float:
    return value / by if by > 0 else 0.0
