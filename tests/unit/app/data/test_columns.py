from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import roc_auc_score

from app.data import COLUMNS, INPUTS, Input, Table
from app.data.columns import GROUPING, TARGET

DATASHEET = Path(__file__).parents[4] / "app" / "data" / "DATASHEET.md"


def test_every_column_that_is_no_input_has_a_reason() -> None:
    assert all(column.reason for column in COLUMNS.values() if column.role != "input")


def test_the_outcome_and_what_follows_from_it_are_no_inputs() -> None:
    for name in ("approve", "action", "reject", "typur", "inson", "review", "gdlin", "appinc"):
        assert COLUMNS[name].role in {"target", "outcome"}, name


def test_protected_attributes_and_stand_ins_for_them_are_no_inputs() -> None:
    for name in (*GROUPING, "old", "dep"):
        assert COLUMNS[name].role == "protected", name
    for name in ("suffolk", "min30", "bd", "mi", "vr"):
        assert COLUMNS[name].role == "proxy", name


@pytest.mark.parametrize("item", INPUTS, ids=lambda item: item.name)
def test_no_single_input_nearly_decides_the_outcome_or_the_race(item: Input, table: Table) -> None:
    """A column that gives the outcome away by itself is a leak; one that gives race away is a proxy."""
    values = table.columns[item.column]
    known = ~np.isnan(values)
    assert separation(values[known], table.target[known]) < 0.75
    assert separation(values[known], table.columns["white"][known]) < 0.7


def test_the_measure_of_separation_would_find_the_columns_that_are_excluded(table: Table) -> None:
    for name in ("action", "reject", "typur"):
        assert separation(table.columns[name], table.target) > 0.75, name
    for name in ("black", "white"):
        assert separation(table.columns[name], table.columns["white"]) > 0.7, name


def separation(values: npt.NDArray[np.float64], outcome: npt.NDArray[np.number]) -> float:
    """ROC AUC in whichever direction: 0.5 tells nothing, 1 tells all."""
    area = float(roc_auc_score(outcome, values))
    return max(area, 1.0 - area)


def test_duplicates_are_what_their_reasons_say(table: Table) -> None:
    c = table.columns
    for name, value in {"mortno": 1, "mortperf": 2, "mortlat1": 3, "mortlat2": 4}.items():
        assert ((c["mortg"] == value) == (c[name] == 1)).all(), name
    assert ((c["cons"] < 5) == (c["chist"] == 1)).all()
    np.testing.assert_allclose(c["loanprc"], c["loanamt"] / c["price"], atol=1e-6)
    assert len(np.unique(c["msa"])) == 1


def test_no_loan_that_was_sold_was_denied_save_the_three_that_the_table_has_so(table: Table) -> None:
    sold = table.columns["typur"] > 0
    assert (table.target[sold] == 0).sum() == 3


def test_the_datasheet_describes_every_column() -> None:
    text = DATASHEET.read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"| `{name}`" not in text] == []


def test_the_target_is_the_only_column_of_its_role() -> None:
    assert [name for name, column in COLUMNS.items() if column.role == "target"] == [TARGET]
