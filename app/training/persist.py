"""Writes and reads the model as a skops file: no code in it, a fixed list of types, always the same bytes."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any, Final

import skops.io

from app.errors import ArtifactError

TRUSTED: Final = (
    "app.training.features.CreditRatios",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
"""Types beyond skops' own defaults that a model may hold; a file with any other is refused."""

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_SCHEMA: Final = "schema.json"


def dumps(model: Any) -> bytes:
    """The model as skops bytes that depend on the model alone.

    skops names arrays by memory address and stamps entries with the clock; both are replaced here, the
    addresses by their order of appearance.
    """
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(parts[_SCHEMA])
    names: dict[str, str] = {}
    _renumber(schema, {}, names)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for old, new in sorted(names.items(), key=lambda pair: pair[1]):
            archive.writestr(_entry(new), parts[old])
        archive.writestr(_entry(_SCHEMA), json.dumps(schema, sort_keys=True, separators=(",", ":")))
    return target.getvalue()


def _renumber(node: Any, numbers: dict[int, int], names: dict[str, str]) -> None:
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, names)
    elif isinstance(node, dict):
        if "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers))
        file = node.get("file")
        if isinstance(file, str) and re.fullmatch(r"\d+\.(npy|npz)", file):
            node["file"] = names.setdefault(file, f"{len(names):06d}{Path(file).suffix}")
        for value in node.values():
            _renumber(value, numbers, names)


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def loads(content: bytes, where: str) -> Any:
    """The model in skops bytes; ``where`` names them in errors.

    Raises ArtifactError for what is not to be loaded.
    """
    try:
        foreign = sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED))
    except Exception as error:
        raise ArtifactError(
            f"{where}: not a readable skops file ({error}). Train the model again."
        ) from error
    if foreign:
        raise ArtifactError(
            f"{where}: holds types that are not on the trusted list: {', '.join(foreign)}. "
            "Load models only from this project's own training; the list is app/training/persist.py."
        )
    return skops.io.loads(content, trusted=list(TRUSTED))
