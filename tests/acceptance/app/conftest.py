"""A model trained on the real data; tests/unit/app has the same fixture, and one run trains once."""

from pathlib import Path

import pytest

from app.evaluation.crossval import Plan
from app.training.run import train

DATA = Path(__file__).parents[3] / "app" / "data" / "loanapp.csv"


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "trained-model"
    if not folder.exists():
        train(DATA, folder, Plan(folds=5, repeats=2))
    return folder
