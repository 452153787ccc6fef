"""Fits an estimator so that the result does not depend on how many cores there are."""

from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits


def fitted(estimator: Any, X: npt.NDArray[np.float64], y: npt.NDArray[np.int64]) -> Any:
    """Fit with one thread: sums over several come out in an order, and last digits, that vary with their number."""
    with threadpool_limits(limits=1):
        return estimator.fit(X, y)
