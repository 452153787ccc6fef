"""``python -m app.training --data FILE --output DIR``: trains the model and writes its artifacts."""

import argparse
import sys
from pathlib import Path

from app.errors import AppError
from app.evaluation.report import Metrics
from app.training.run import train


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when trained, 1 when the user has to put something right."""
    parser = argparse.ArgumentParser(prog="python -m app.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the table, with FILE.sha256 beside it")
    parser.add_argument("--output", type=Path, required=True, help="folder for the artifacts")
    options = parser.parse_args(arguments)
    try:
        print(summary(train(options.data, options.output)))
    except AppError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def summary(metrics: Metrics) -> str:
    """What to look at first, a line each."""
    cv, holdout, confidence = metrics.cv, metrics.holdout, metrics.confidence
    model, logistic, lift, race = cv.model.roc_auc, cv.logistic.roc_auc, cv.lift, metrics.fairness.race
    return (
        f"ROC AUC, {cv.repeats} x {cv.folds} folds: model {model.mean:.3f} +- {model.std:.3f}, "
        f"logistic {logistic.mean:.3f} +- {logistic.std:.3f}\n"
        f"  difference {lift.mean:.3f} +- {lift.std:.3f}: {lift.in_std:.2f} standard deviations of the "
        f"paired difference, {lift.in_logistic_std:.2f} of the baseline's folds\n"
        f"hold-out, {holdout.rows} rows: ROC AUC {holdout.roc_auc:.3f}, Brier {holdout.brier:.3f}, "
        f"ECE {holdout.ece:.3f}\n"
        f"decides {confidence.coverage:.0%} by itself (confidence from {confidence.threshold}), "
        f"right in {confidence.accuracy_confident:.1%}; refers {confidence.referred}\n"
        f"approvals by race, smallest over largest rate: {race.selection_rate_ratio:.2f} "
        f"(in the data {race.data_selection_rate_ratio:.2f})"
    )


if __name__ == "__main__":
    sys.exit(main())
