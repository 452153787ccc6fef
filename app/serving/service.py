"""The running service's state: no model, then one; what was decided; how that is reported."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from app.monitoring.drift import DriftCounter
from app.monitoring.telemetry import Telemetry
from app.serving.audit import record
from app.serving.problems import ApiProblem
from app.serving.scoring import Scorer, matrix

if TYPE_CHECKING:
    # Importing this imports scikit-learn, which the service must not wait for before it listens.
    from collections.abc import Sequence

    from app.serving.artifacts import Artifacts
    from app.serving.messages import Prediction

LIBRARIES = ("fastapi", "numpy", "pydantic", "scikit-learn", "scipy", "skops", "uvicorn")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that can answer."""

    artifacts: Artifacts
    scorer: Scorer
    drift: DriftCounter

    @property
    def sha256(self) -> str:
        """Digest of the model's file."""
        return self.artifacts.lineage.model_sha256


class Service:
    """Answers with the model it was given; until then every use of it is an ApiProblem, 503 ``not_ready``."""

    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self._loaded: Loaded | None = None

    def serve(self, artifacts: Artifacts) -> None:
        """Take up a model."""
        loaded = Loaded(artifacts, Scorer(artifacts), DriftCounter(artifacts.reference))
        self.telemetry.watch(loaded.sha256, loaded.drift)
        self._loaded = loaded

    @property
    def loaded(self) -> Loaded:
        """The model being served. Raises ApiProblem while there is none."""
        if self._loaded is None:
            raise ApiProblem(503, "not_ready", "The model is still being loaded; try again in a second.")
        return self._loaded

    def decide(self, applications: Sequence[Any], request_id: str) -> list[Prediction]:
        """Score, count and put on record."""
        loaded = self.loaded
        inputs = matrix(applications)
        predictions = loaded.scorer.score(inputs)
        self.telemetry.decided((prediction.decision, prediction.confidence) for prediction in predictions)
        loaded.drift.add(inputs)
        record(request_id, loaded.sha256, applications, predictions)
        return predictions

    def versions(self) -> dict[str, Any]:
        """What exactly answers: model, data, code, libraries."""
        lineage = self.loaded.artifacts.lineage
        return {
            "revision": os.environ.get("SHIPWAY_REVISION") or "unknown",
            # Where and as what it runs: Cloud Run says the first two, the deployment program the third.
            "deployment": {
                "service": os.environ.get("K_SERVICE", ""),
                "revision": os.environ.get("K_REVISION", ""),
                "image": os.environ.get("SHIPWAY_IMAGE", ""),
            },
            "model_sha256": lineage.model_sha256,
            "data_sha256": lineage.data_sha256,
            "training": {
                "revision": lineage.revision,
                "sources_sha256": lineage.training_sha256,
                "python": lineage.python,
                "libraries": lineage.libraries,
            },
            "serving": {
                "python": platform.python_version(),
                "libraries": {name: version(name) for name in LIBRARIES},
            },
        }
