"""The 1990 Boston mortgage applications: the table, what each column is, and how it is read."""

from app.data.columns import COLUMNS, Column, Role
from app.data.inputs import INPUTS, Input, Kind
from app.data.loading import Table, read_table

__all__ = ["COLUMNS", "INPUTS", "Column", "Input", "Kind", "Role", "Table", "read_table"]
