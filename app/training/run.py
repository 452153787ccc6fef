"""Trains, evaluates and writes the artifacts: the one place where everything comes together."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from app.data import INPUTS, Table, read_table
from app.errors import ArtifactError
from app.evaluation.confidence import choose_threshold, decide, measure_confidence
from app.evaluation.crossval import Plan, cross_validate
from app.evaluation.fairness import groups_of, measure_fairness
from app.evaluation.fit import fitted
from app.evaluation.quality import measure, reliability
from app.evaluation.report import DataFacts, Holdout, Metrics
from app.training import persist
from app.training.contract import write_schema
from app.training.lineage import trace
from app.training.model import (
    SEED,
    build_calibrated,
    build_dummy,
    build_logistic,
    build_model,
    calibration_folds,
)
from app.training.reference import describe

Floats = npt.NDArray[np.float64]

HOLDOUT: Final = 0.25
TARGET_ACCURACY: Final = 0.95
"""How often confident decisions have to be right, on validation rows; sets the threshold for referral."""


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers: those the model is made from, and those kept to judge it."""

    training: npt.NDArray[np.intp]
    holdout: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Trained:
    """A served model, and the calibrated probability of approval of every row of the table.

    No probability is by a model that saw the row: out-of-fold for training rows, the served model's for the
    hold-out.
    """

    model: Any
    split: Split
    approval: Floats


def train(data: Path, output: Path, plan: Plan | None = None) -> Metrics:
    """Train on the table in ``data`` and write the artifacts into the folder ``output``.

    Writes model.skops, metrics.json, schema.json, reference.json, lineage.json and known_case.json; the same
    table, sources and libraries give the same bytes. Raises DataError for a bad table, ArtifactError for a
    folder that cannot be written.
    """
    table = read_table(data)
    _make(output)
    trained = _fit(table)
    y = table.target
    threshold = choose_threshold(
        y[trained.split.training], trained.approval[trained.split.training], TARGET_ACCURACY
    )
    metrics = _measure(table, trained, threshold, plan or Plan())
    content = persist.dumps(trained.model)
    (output / "model.skops").write_bytes(content)
    metrics.write(output / "metrics.json")
    write_schema(output / "schema.json")
    seen = trained.split.training
    unsure = float((decide(trained.approval[seen], threshold) == "refer").mean())
    describe(table.inputs[seen], unsure).write(output / "reference.json")
    trace(content, table.digest, SEED).write(output / "lineage.json")
    _write_known_case(table, trained, threshold, output / "known_case.json")
    return metrics


def _make(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(
            f"{output}: {error.strerror}. Give a folder that can be written with --output."
        ) from error


def _fit(table: Table) -> Trained:
    inputs, y = table.inputs, table.target
    rows = np.arange(y.size)
    training, holdout = train_test_split(rows, test_size=HOLDOUT, stratify=y, random_state=SEED)
    split = Split(np.sort(training), np.sort(holdout))
    train_inputs, y_train = inputs[split.training], y[split.training]
    served = fitted(build_calibrated(), train_inputs, y_train)
    raw = np.empty(y_train.size)
    for fit, test in calibration_folds().split(train_inputs, y_train):
        raw[test] = fitted(build_model(), train_inputs[fit], y_train[fit]).predict_proba(train_inputs[test])[
            :, 1
        ]
    # These are the very scores the sigmoid was fitted on: same folds, same seeds.
    sigmoid = served.calibrated_classifiers_[0].calibrators[0]
    approval = np.empty(y.size)
    approval[split.training] = sigmoid.predict(raw)
    approval[split.holdout] = served.predict_proba(inputs[split.holdout])[:, 1]
    return Trained(served, split, approval)


def _measure(table: Table, trained: Trained, threshold: float, plan: Plan) -> Metrics:
    inputs, y, split = table.inputs, table.target, trained.split
    approval, actual = trained.approval[split.holdout], y[split.holdout]
    baselines = {
        name: measure(
            actual,
            fitted(build(), inputs[split.training], y[split.training]).predict_proba(inputs[split.holdout])[
                :, 1
            ],
        )
        for name, build in (("dummy", build_dummy), ("logistic", build_logistic))
    }
    return Metrics(
        data=DataFacts(
            rows=int(y.size),
            training_rows=int(split.training.size),
            approved_share=float(y.mean()),
            sha256=table.digest,
        ),
        cv=cross_validate(
            {"dummy": build_dummy, "logistic": build_logistic, "model": build_model}, inputs, y, plan
        ),
        holdout=Holdout(
            **measure(actual, approval).model_dump(),
            rows=int(actual.size),
            dummy=baselines["dummy"],
            logistic=baselines["logistic"],
            reliability=reliability(actual, approval),
        ),
        confidence=measure_confidence(actual, approval, threshold, TARGET_ACCURACY),
        fairness=measure_fairness(y, decide(trained.approval, threshold), groups_of(table.columns)),
    )


def _write_known_case(table: Table, trained: Trained, threshold: float, path: Path) -> None:
    """A request with the answer a service must give to it: the hold-out row with the median probability."""
    rows = trained.split.holdout
    complete = rows[~np.isnan(table.inputs[rows]).any(axis=1)]
    row = complete[np.argsort(trained.approval[complete], kind="stable")[complete.size // 2]]
    case = {
        "path": "/predict",
        "request": {
            item.name: plain(item.kind, value) for item, value in zip(INPUTS, table.inputs[row], strict=True)
        },
        "expected": {
            "decision": str(decide(trained.approval[row : row + 1], threshold)[0]),
            "probability": float(trained.approval[row]),
            "tolerance": 1e-6,
        },
    }
    path.write_text(json.dumps(case, indent=2) + "\n", encoding="utf-8")


def plain(kind: str, value: float) -> bool | int | float:
    """A cell of the table as the service wants it in JSON."""
    if kind == "flag":
        return bool(value)
    return int(value) if kind in {"code", "count"} else float(value)
