"""Drift of live inputs against the training rows, counted in bins so that nobody's data is kept."""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from app.training.reference import Distribution, Reference

FEWEST: Final = 100
"""Applications needed before drift is computed: below, the index measures chance."""
FLOOR: Final = 1e-4
"""Least share of a bin, so that an empty one does not make the index infinite."""
NOTABLE: Final = 0.25
"""Population stability index from which a shift is customarily called major."""

Floats = npt.NDArray[np.float64]


class DriftCounter:
    """Counts applications by bin for every input; safe to use from several threads.

    Counts are halved whenever ``window`` applications are reached, so that old ones fade.
    """

    def __init__(self, reference: Reference, window: int = 2000) -> None:
        self._window = window
        self._names = tuple(reference.inputs)
        self._edges = [np.asarray(part.edges) for part in reference.inputs.values()]
        self._expected = [_shares(part) for part in reference.inputs.values()]
        self._counts = [np.zeros(expected.size) for expected in self._expected]
        self._seen = 0.0
        self._lock = threading.Lock()

    def add(self, inputs: Floats) -> None:
        """Count an input matrix, (applications, inputs); NaN has a bin of its own."""
        with self._lock:
            for column, (edges, counts) in enumerate(zip(self._edges, self._counts, strict=True)):
                values = inputs[:, column]
                known = values[~np.isnan(values)]
                np.add.at(counts, np.searchsorted(edges, known, side="left"), 1.0)
                counts[-1] += values.size - known.size
            self._seen += inputs.shape[0]
            if self._seen >= self._window:
                self._seen /= 2.0
                self._counts = [counts / 2.0 for counts in self._counts]

    def index(self) -> dict[str, float]:
        """Population stability index by input; empty until FEWEST applications were counted."""
        with self._lock:
            if self._seen < FEWEST:
                return {}
            return {
                name: stability_index(expected, seen / self._seen)
                for name, expected, seen in zip(self._names, self._expected, self._counts, strict=True)
            }


def stability_index(expected: Floats, observed: Floats) -> float:
    """Sum of (observed - expected) * ln(observed / expected) over the bins of two distributions.

    0 when equal; customarily 0.1 is a small shift and 0.25 a major one.
    Source: Siddiqi (2006), Credit Risk Scorecards.
    """
    e, o = np.clip(expected, FLOOR, None), np.clip(observed, FLOOR, None)
    return float(np.sum((o - e) * np.log(o / e)))


def _shares(part: Distribution) -> Floats:
    shares: Sequence[float] = (*part.shares, part.missing)
    return np.asarray(shares)
