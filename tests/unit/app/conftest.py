"""A model trained on the real data, once a run; only the evaluation has fewer repeats than in production."""

from pathlib import Path

import pytest

from app.data import Table, read_table
from app.evaluation.crossval import Plan
from app.training.run import train

DATA = Path(__file__).parents[3] / "app" / "data" / "loanapp.csv"
SHORT = Plan(folds=5, repeats=2)


@pytest.fixture(scope="session")
def table() -> Table:
    return read_table(DATA)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # tests/acceptance/app has the same fixture and finds what this one made.
    folder = tmp_path_factory.getbasetemp() / "trained-model"
    if not folder.exists():
        train(DATA, folder, SHORT)
    return folder
