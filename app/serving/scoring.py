"""From applications to answers: probability, confidence, decision, and what speaks for and against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from app.data.inputs import INPUTS
from app.serving.messages import Decision, Prediction, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.serving.artifacts import Artifacts

Floats = npt.NDArray[np.float64]

REASONS: Final = 3
NEGLIGIBLE: Final = 0.02
"""Log-odds below which an input is not worth naming."""


class Scorer:
    """Scores applications with one model; stateless, so threads may share it."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._estimator = artifacts.estimator
        self.threshold = artifacts.metrics.confidence.threshold
        self._typical = np.array([artifacts.reference.inputs[item.name].typical for item in INPUTS])

    def score(self, inputs: Floats) -> list[Prediction]:
        """One prediction a row of an input matrix, (applications, inputs)."""
        rows, width = inputs.shape
        # Every application, then the same with one input at a time made typical: one call of the model.
        variants = np.repeat(inputs[:, None, :], width + 1, axis=1)
        for column in range(width):
            variants[:, column + 1, column] = self._typical[column]
        approval = self._estimator.predict_proba(variants.reshape(-1, width))[:, 1].reshape(rows, width + 1)
        odds = np.log(approval / (1.0 - approval))
        effects = odds[:, :1] - odds[:, 1:]
        return [self._answer(inputs[row], float(approval[row, 0]), effects[row]) for row in range(rows)]

    def _answer(self, values: Floats, probability: float, effects: Floats) -> Prediction:
        confidence = max(probability, 1.0 - probability)
        likelier: Decision = "approve" if probability >= 0.5 else "deny"
        decision: Decision = likelier if confidence >= self.threshold else "refer"
        return Prediction(
            probability=probability,
            confidence=confidence,
            decision=decision,
            reasons=_reasons(effects, decision),
            imputed=[item.name for item, value in zip(INPUTS, values, strict=True) if np.isnan(value)],
        )


def _reasons(effects: Floats, decision: Decision) -> list[Reason]:
    # An approval is explained by what speaks for it; a denial or a referral by what speaks against.
    towards = effects if decision == "approve" else -effects
    strongest = [
        index for index in np.argsort(-towards, kind="stable")[:REASONS] if towards[index] >= NEGLIGIBLE
    ]
    return [
        Reason(
            input=INPUTS[index].name,
            effect=float(effects[index]),
            direction="for approval" if effects[index] > 0 else "against approval",
            description=INPUTS[index].description,
        )
        for index in strongest
    ]


def matrix(applications: Sequence[Any]) -> Floats:
    """The model's input matrix; NaN where an optional input was left out."""
    return np.array(
        [
            [
                np.nan if (value := getattr(application, item.name)) is None else float(value)
                for item in INPUTS
            ]
            for application in applications
        ]
    )
