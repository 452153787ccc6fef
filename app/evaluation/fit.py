"""Fits an estimator so that the result does not depend on how many cores there are."""

from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


def fitted(estimator: Any, inputs: npt.NDArray[np.float64], y: npt.NDArray[np.int64]) -> Any:
    """Fit with one thread: what several add up differs in the last digits with their number."""
    with threadpool_limits(limits=1):
        return estimator.fit(inputs, y)
