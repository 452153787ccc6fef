"""A trained model's folder, read and checked: nothing is served that its lineage does not vouch for."""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.errors import ArtifactError
from app.evaluation.report import Metrics
from app.training.contract import input_schema
from app.training.lineage import Lineage
from app.training.reference import Reference

_Part = TypeVar("_Part", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Artifacts:
    """What training wrote; ``estimator`` has scikit-learn's predict_proba."""

    estimator: Any
    metrics: Metrics
    reference: Reference
    lineage: Lineage


def read_artifacts(folder: Path) -> Artifacts:
    """Read the folder that ``python -m app.training`` wrote. Raises ArtifactError."""
    lineage = _parse(folder / "lineage.json", Lineage)
    content = _read(folder / "model.skops")
    digest = hashlib.sha256(content).hexdigest()
    if digest != lineage.model_sha256:
        raise ArtifactError(
            f"{folder / 'model.skops'}: SHA-256 is {digest}, but lineage.json says {lineage.model_sha256}. "
            "The model was altered or copied in part: train it again."
        )
    trained, here = lineage.libraries["scikit-learn"], version("scikit-learn")
    if trained != here:
        raise ArtifactError(
            f"{folder}: trained with scikit-learn {trained}, but this is {here}, which may read it "
            "otherwise. Train it again, or install the version it was trained with."
        )
    if _json(folder / "schema.json") != input_schema():
        raise ArtifactError(
            f"{folder / 'schema.json'}: the model was trained for other inputs than this service takes. "
            "Train it again with this version."
        )
    metrics = _parse(folder / "metrics.json", Metrics)
    reference = _parse(folder / "reference.json", Reference)
    # scikit-learn takes half of the start; everything cheap was checked before it.
    from app.training import persist

    estimator = persist.loads(content, str(folder / "model.skops"))
    return Artifacts(estimator, metrics, reference, lineage)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{path}: {error.strerror or error}. "
            "Give the folder that `python -m app.training` wrote with --model DIR."
        ) from error


def _json(path: Path) -> Any:
    try:
        return json.loads(_read(path))
    except ValueError as error:
        raise ArtifactError(f"{path}: not JSON ({error}). Train the model again.") from error


def _parse(path: Path, kind: type[_Part]) -> _Part:
    try:
        return kind.model_validate_json(_read(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ArtifactError(
            f"{path}: {where}: {first['msg']}. Train the model again with this version."
        ) from error
