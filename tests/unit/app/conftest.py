"""The real data."""

from pathlib import Path

import pytest

from app.data import Table, read_table

DATA = Path(__file__).parents[3] / "app" / "data" / "loanapp.csv"


@pytest.fixture(scope="session")
def table() -> Table:
    return read_table(DATA)
