"""Hold-out quality: how well a probability ranks, classifies and is calibrated."""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from app.evaluation.report import Bin, Quality

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

BINS = 10


def measure(y: Labels, approval: Floats) -> Quality:
    """Score probabilities of approval, (rows,), against what was decided, (rows,)."""
    predicted = (approval >= 0.5).astype(np.int64)
    return Quality(
        roc_auc=float(roc_auc_score(y, approval)),
        average_precision_denied=float(average_precision_score(1 - y, 1.0 - approval)),
        accuracy=float(accuracy_score(y, predicted)),
        balanced_accuracy=float(balanced_accuracy_score(y, predicted)),
        brier=float(brier_score_loss(y, approval)),
        log_loss=float(log_loss(y, approval, labels=[0, 1])),
        ece=expected_calibration_error(y, approval),
    )


def reliability(y: Labels, approval: Floats) -> list[Bin]:
    """The reliability curve in BINS bins of as equal a size as can be, from the lowest probability up."""
    order = np.argsort(approval, kind="stable")
    return [
        Bin(rows=int(part.size), predicted=float(approval[part].mean()), observed=float(y[part].mean()))
        for part in np.array_split(order, BINS)
        if part.size
    ]


def expected_calibration_error(y: Labels, approval: Floats) -> float:
    """Mean distance of predicted from observed over the reliability bins, weighted by their rows.

    Source: Naeini, Cooper and Hauskrecht (2015), AAAI, with bins of equal size.
    """
    bins = reliability(y, approval)
    return sum(part.rows * abs(part.predicted - part.observed) for part in bins) / y.size
