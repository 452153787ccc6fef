"""Where a model comes from: data, sources, libraries, seed; no clock and no host, so it is cacheable."""

import hashlib
import os
import platform
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from app.data import COLUMNS, INPUTS
from app.training.features import FEATURES

LIBRARIES = ("fairlearn", "joblib", "numpy", "scikit-learn", "scipy", "skops")
SOURCES = ("__init__.py", "errors.py", "data", "evaluation", "training")
"""What of app/ decides how a model comes out; nothing else of app/ is read by training."""


class Lineage(BaseModel):
    """lineage.json. ``revision`` is $SHIPWAY_REVISION at training time, "unknown" when that is not set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_sha256: str
    data_sha256: str
    training_sha256: str
    revision: str
    seed: int
    python: str
    libraries: dict[str, str]
    inputs: list[str]
    features: list[str]
    excluded: dict[str, str]

    def write(self, path: Path) -> None:
        """Write as JSON, the same bytes for the same lineage."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def trace(model: bytes, data_sha256: str, seed: int) -> Lineage:
    """The lineage of a model just trained in this process."""
    return Lineage(
        model_sha256=hashlib.sha256(model).hexdigest(),
        data_sha256=data_sha256,
        training_sha256=sources_digest(),
        revision=os.environ.get("SHIPWAY_REVISION") or "unknown",
        seed=seed,
        python=platform.python_version(),
        libraries={name: version(name) for name in LIBRARIES},
        inputs=[item.name for item in INPUTS],
        features=list(FEATURES),
        excluded={
            name: f"{column.role}: {column.reason}" for name, column in COLUMNS.items() if column.reason
        },
    )


def sources_digest() -> str:
    """SHA-256 over the path and content of every Python file that decides how a model comes out."""
    root = Path(__file__).resolve().parent.parent
    found = hashlib.sha256()
    for source in SOURCES:
        path = root / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            content = file.read_bytes()
            found.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode())
            found.update(content)
    return found.hexdigest()
