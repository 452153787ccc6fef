"""Reads the table: checks its digest and its columns before anybody computes with it."""

import csv
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.data.columns import GROUPING, MISSING_CODES, TARGET
from app.data.inputs import INPUTS
from app.errors import (
    DataColumnEmpty,
    DataColumnMissing,
    DataDigestMismatch,
    DataFileMissing,
    DataMalformed,
)

Floats = npt.NDArray[np.float64]
NEEDED = (TARGET, *GROUPING, *(item.column for item in INPUTS))


@dataclass(frozen=True, slots=True)
class Table:
    """The table by columns, NaN where a value is not known, and the SHA-256 of the file it came from."""

    columns: Mapping[str, Floats]
    digest: str

    @property
    def inputs(self) -> Floats:
        """The model's input matrix, (rows, len(INPUTS)), in the order of INPUTS."""
        return np.column_stack([self.columns[item.column] for item in INPUTS])

    @property
    def target(self) -> npt.NDArray[np.int64]:
        """1 where the application was approved, 0 where it was denied; (rows,)."""
        return self.columns[TARGET].astype(np.int64)


def read_table(path: Path) -> Table:
    """Read a CSV whose digest is in ``<path>.sha256`` (the format of ``sha256sum``).

    Raises DataFileMissing, DataDigestMismatch, DataColumnMissing, DataColumnEmpty or DataMalformed.
    """
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    record = path.with_name(path.name + ".sha256")
    expected = _read(record).decode(errors="replace").split(maxsplit=1)[:1]
    if expected != [digest]:
        raise DataDigestMismatch(
            f"{path}: SHA-256 is {digest}, but {record.name} says {expected[0] if expected else 'nothing'}. "
            "The file is damaged or was changed: restore it, or record the new digest with "
            f"`sha256sum {path.name} > {record.name}` if the change is meant."
        )
    columns = _parse(path, content)
    for name, code in MISSING_CODES.items():
        columns[name] = np.where(columns[name] == code, np.nan, columns[name])
    return Table(columns, digest)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataFileMissing(
            f"{path}: {error.strerror or error}. Give the table with --data FILE; "
            "the repository has it as app/data/loanapp.csv with its .sha256 beside it."
        ) from error


def _parse(path: Path, content: bytes) -> dict[str, Floats]:
    rows = list(csv.reader(content.decode("utf-8", errors="replace").splitlines()))
    header = rows[0] if rows else []
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise DataColumnMissing(
            f"{path}: no column {', '.join(missing)} in the header. "
            "app/data/DATASHEET.md lists the columns; export the table again."
        )
    columns = {name: np.empty(len(rows) - 1) for name in header}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise DataMalformed(
                f"{path}, line {number}: {len(row)} cells where the header has {len(header)}."
            )
        for name, cell in zip(header, row, strict=True):
            columns[name][number - 2] = _number(path, number, name, cell)
    for name in NEEDED:
        if np.isnan(columns[name]).all():
            raise DataColumnEmpty(f"{path}: column {name} holds no value at all. Export the table again.")
    if not np.isin(columns[TARGET], (0.0, 1.0)).all():
        raise DataMalformed(f"{path}: column {TARGET} has a cell other than 0 and 1: every row needs one.")
    return columns


def _number(path: Path, line: int, name: str, cell: str) -> float:
    if cell == "":
        return np.nan
    try:
        value = float(cell)
    except ValueError:
        raise DataMalformed(f"{path}, line {line}, column {name}: {cell[:40]!r} is not a number.") from None
    if math.isinf(value):
        raise DataMalformed(f"{path}, line {line}, column {name}: {cell[:40]!r} is not finite.")
    return value
