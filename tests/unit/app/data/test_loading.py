import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.data import COLUMNS, INPUTS, Table, read_table
from app.errors import (
    AppError,
    DataColumnEmpty,
    DataColumnMissing,
    DataDigestMismatch,
    DataFileMissing,
    DataMalformed,
)

DATA = Path(__file__).parents[4] / "app" / "data" / "loanapp.csv"


def record(path: Path) -> Path:
    path.with_name(path.name + ".sha256").write_text(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n", encoding="utf-8"
    )
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(DATA, tmp_path)
    shutil.copy(DATA.with_name("loanapp.csv.sha256"), tmp_path)
    return tmp_path / "loanapp.csv"


def without_column(path: Path, name: str) -> None:
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    index = rows[0].index(name)
    path.write_text("\n".join(",".join(row[:index] + row[index + 1 :]) for row in rows), encoding="utf-8")


def with_cells(path: Path, name: str, value: str, rows: slice) -> None:
    table = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    index = table[0].index(name)
    for row in table[1:][rows]:
        row[index] = value
    path.write_text("\n".join(",".join(row) for row in table) + "\n", encoding="utf-8")


def test_the_table_has_the_rows_and_columns_of_its_datasheet(table: Table) -> None:
    assert table.inputs.shape == (1989, len(INPUTS))
    assert set(table.columns) == set(COLUMNS)
    assert table.target.sum() == 1745


def test_codes_for_not_known_are_read_as_nan(table: Table) -> None:
    missing = {item.name: int(np.isnan(table.columns[item.column]).sum()) for item in INPUTS}
    assert {name: count for name, count in missing.items() if count} == {
        "liquid_assets": 9,
        "term_months": 4,
        "units": 4,
        "credit_reports": 9,
        "credit_lines": 1,
    }


def test_only_an_optional_input_may_be_missing_and_every_value_is_within_its_bounds(table: Table) -> None:
    for item in INPUTS:
        values = table.columns[item.column]
        known = values[~np.isnan(values)]
        assert item.optional == (known.size < values.size), item.name
        assert item.low <= known.min(), item.name
        assert known.max() <= item.high, item.name


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileMissing, match=r"nowhere\.csv: No such file.*--data FILE"):
        read_table(tmp_path / "nowhere.csv")


def test_a_missing_digest_is_named(copy: Path) -> None:
    copy.with_name("loanapp.csv.sha256").unlink()
    with pytest.raises(DataFileMissing, match=r"loanapp\.csv\.sha256: No such file"):
        read_table(copy)


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-100], lambda content: content.replace(b"1,", b"2,", 1)]
)
def test_a_truncated_or_altered_file_is_refused_by_its_digest(copy: Path, damage) -> None:
    copy.write_bytes(damage(copy.read_bytes()))
    with pytest.raises(
        DataDigestMismatch, match=r"loanapp\.csv: SHA-256 is [0-9a-f]{64}, but loanapp\.csv\.sha256"
    ):
        read_table(copy)


@pytest.mark.parametrize("name", ["approve", "hrat", "black"])
def test_a_missing_column_is_named(copy: Path, name: str) -> None:
    without_column(copy, name)
    with pytest.raises(DataColumnMissing, match=f"no column {name} in the header"):
        read_table(record(copy))


@pytest.mark.parametrize("name", ["obrat", "approve"])
@pytest.mark.parametrize("nothing", ["", "nan"])
def test_a_column_without_a_value_is_named(copy: Path, name: str, nothing: str) -> None:
    with_cells(copy, name, nothing, slice(None))
    with pytest.raises(DataColumnEmpty, match=f"column {name} holds no value at all"):
        read_table(record(copy))


def test_a_cell_that_is_no_number_is_named_with_its_line(copy: Path) -> None:
    with_cells(copy, "hrat", "plenty", slice(4, 5))
    with pytest.raises(DataMalformed, match="line 6, column hrat: 'plenty' is not a number"):
        read_table(record(copy))


@pytest.mark.parametrize("value", ["inf", "-inf", "1e999"])
def test_an_infinite_cell_is_refused(copy: Path, value: str) -> None:
    with_cells(copy, "hrat", value, slice(0, 1))
    with pytest.raises(DataMalformed, match="line 2, column hrat"):
        read_table(record(copy))


def test_an_outcome_other_than_0_or_1_is_refused(copy: Path) -> None:
    with_cells(copy, "approve", "", slice(0, 1))
    with pytest.raises(DataMalformed, match="approve"):
        read_table(record(copy))
    with_cells(copy, "approve", "2", slice(0, 1))
    with pytest.raises(DataMalformed, match="approve"):
        read_table(record(copy))


def test_a_ragged_row_is_named_with_its_line(copy: Path) -> None:
    copy.write_text(copy.read_text(encoding="utf-8") + "1,2,3\n", encoding="utf-8")
    with pytest.raises(DataMalformed, match="line 1991: 3 cells where the header has 59"):
        read_table(record(copy))


def test_an_empty_file_is_refused(copy: Path) -> None:
    copy.write_bytes(b"")
    with pytest.raises(DataColumnMissing):
        read_table(record(copy))


def test_a_header_without_rows_is_refused(copy: Path) -> None:
    copy.write_text(copy.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(DataColumnEmpty):
        read_table(record(copy))


def test_every_data_error_is_an_app_error() -> None:
    for kind in (DataFileMissing, DataDigestMismatch, DataColumnMissing, DataColumnEmpty, DataMalformed):
        assert issubclass(kind, AppError)
