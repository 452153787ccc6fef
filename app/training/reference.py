"""What a typical application looks like: kept beside the model to explain its answers and to notice drift."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from app.data import INPUTS, Input

BINS = 10


class Distribution(BaseModel):
    """One input among training rows: shares of the bins ``edges[i-1] < value <= edges[i]`` and of missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    typical: float = Field(description="median, or the commonest value of a code or a flag")
    edges: list[float] = Field(description="inner edges, rising; there is one bin more than edges")
    shares: list[float] = Field(description="share of rows by bin")
    missing: float = Field(description="share of rows without a value")


class Reference(BaseModel):
    """reference.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    low_confidence_share: float = Field(
        description="share of out-of-fold training rows that would be referred"
    )
    inputs: dict[str, Distribution]

    def write(self, path: Path) -> None:
        """Write as JSON, the same bytes for the same distributions."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def describe(inputs: npt.NDArray[np.float64], low_confidence_share: float) -> Reference:
    """The distributions of an input matrix, (rows, len(INPUTS))."""
    return Reference(
        rows=inputs.shape[0],
        low_confidence_share=low_confidence_share,
        inputs={item.name: _distribution(item, inputs[:, index]) for index, item in enumerate(INPUTS)},
    )


def _distribution(item: Input, values: npt.NDArray[np.float64]) -> Distribution:
    known = values[~np.isnan(values)]
    distinct, counts = np.unique(known, return_counts=True)
    if item.kind in {"code", "flag"}:
        typical = float(distinct[counts.argmax()])
        edges = np.arange(item.low, item.high) + 0.5
    else:
        typical = float(np.median(known))
        # The last edge of equal quantiles may be the maximum itself, which would leave the top bin empty.
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
        edges = edges[edges < distinct[-1]]
    binned = np.bincount(np.searchsorted(edges, known, side="left"), minlength=edges.size + 1)
    return Distribution(
        typical=typical,
        edges=[float(edge) for edge in edges],
        shares=[float(share) for share in binned / values.size],
        missing=1.0 - known.size / values.size,
    )
