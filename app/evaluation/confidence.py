"""When the model may decide by itself: the threshold on its confidence, and what comes of it."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from app.evaluation.report import Confidence

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Decision = Literal["approve", "deny", "refer"]

LOWEST = 0.5
STEP = 0.005
HIGHEST = 0.99


def decide(approval: Floats, threshold: float) -> npt.NDArray[np.str_]:
    """``approve`` or ``deny`` where that outcome has at least ``threshold`` probability, else ``refer``."""
    return np.where(approval >= threshold, "approve", np.where(1.0 - approval >= threshold, "deny", "refer"))


def choose_threshold(y: Labels, approval: Floats, target: float) -> float:
    """The lowest threshold from which on confident decisions on these rows are right at the rate ``target``.

    Every higher one reaches it, so that the choice is not that of a lucky dip; HIGHEST if none does.
    """
    chosen = HIGHEST
    for threshold in np.arange(HIGHEST, LOWEST - STEP / 2, -STEP):
        confident = np.maximum(approval, 1.0 - approval) >= threshold
        if confident.any() and float(((approval >= 0.5) == y)[confident].mean()) < target:
            break
        chosen = float(threshold)
    return round(chosen, 3)


def measure_confidence(y: Labels, approval: Floats, threshold: float, target: float) -> Confidence:
    """Coverage of the model's own decisions, and accuracy on either side of the threshold."""
    decisions = decide(approval, threshold)
    right = (approval >= 0.5) == y
    confident = decisions != "refer"
    denied = decisions == "deny"
    return Confidence(
        threshold=threshold,
        target_accuracy=target,
        coverage=float(confident.mean()),
        accuracy_confident=_mean(right[confident]),
        accuracy_referred=_mean(right[~confident]),
        accuracy_denied=_mean(right[denied]),
        referred=int((~confident).sum()),
        denied=int(denied.sum()),
        approved=int((decisions == "approve").sum()),
    )


def _mean(values: npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else 1.0
