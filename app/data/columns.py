"""Every column of the table: what it is, and whether the model may see it - with the reason when not."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from app.data.inputs import INPUTS

Role = Literal["input", "target", "protected", "outcome", "proxy", "unclear", "redundant"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``reason`` says why it is not an input, and is empty for an input."""

    name: str
    role: Role
    label: str
    reason: str = ""


_NOT_INPUTS: Final = (
    Column("approve", "target", "1 if action is 1 or 2", "what is predicted"),
    Column("action", "outcome", "type of action taken", "the decision itself"),
    Column("reject", "outcome", "1 if action is 3", "the decision itself, negated"),
    Column(
        "typur",
        "outcome",
        "type of purchaser of the loan",
        "who bought the loan once it was made; what was refused has no buyer, so codes above 0 mean approval",
    ),
    Column(
        "inson",
        "outcome",
        "labelled 'PMI approved'",
        "an insurer's decision on the same application, taken alongside this one; the values show that 1 "
        "means denied (2 of 30 approved), contrary to the label",
    ),
    Column(
        "review",
        "outcome",
        "number of times reviewed",
        "counted while the decision was being made, complete only after it (0 reviews: 14% approved); "
        "223 rows hold 999 for missing",
    ),
    Column(
        "gdlin",
        "outcome",
        "credit history meets guidelines",
        "the lender's own verdict, asked for in a survey after the decision: a reason given for it, not a "
        "fact of the application (two rows hold 666)",
    ),
    Column(
        "appinc",
        "outcome",
        "applicant income, 1000 USD a year",
        "the income the lender relied on in deciding, reported afterwards; the incomes in the loan file are "
        "inputs",
    ),
    Column("black", "protected", "1 if applicant black", "race"),
    Column("hispan", "protected", "1 if applicant Hispanic", "ethnicity"),
    Column("white", "protected", "1 if applicant white", "race; 1 less black and hispan"),
    Column("male", "protected", "1 if applicant male", "sex"),
    Column("married", "protected", "1 if applicant married", "marital status"),
    Column("old", "protected", "1 if applicant's age above the area's median", "age"),
    Column("dep", "protected", "number of dependents", "familial status"),
    Column(
        "suffolk",
        "proxy",
        "1 if property in Suffolk county",
        "where the property is stands for race (redlining)",
    ),
    Column("min30", "proxy", "1 if minority share of tract above 30%", "the tract's race; 183 rows missing"),
    Column("bd", "proxy", "1 if boarded-up share above median", "the tract: where one lives stands for race"),
    Column("mi", "proxy", "1 if tract income above median", "the tract: where one lives stands for race"),
    Column(
        "vr", "proxy", "1 if tract vacancy rate above median", "the tract: where one lives stands for race"
    ),
    Column(
        "sch", "proxy", "1 if over 12 years of schooling", "stands for class and race; of no use to the model"
    ),
    Column(
        "emp", "unclear", "years employed in line of work", "coded 0, 1, 6, 9: not years, meaning not given"
    ),
    Column("yjob", "unclear", "years at this job", "coded 0, 1, 6, 9: not years, meaning not given"),
    Column("msa", "redundant", "metropolitan area of the property", "one value in every row"),
    Column(
        "mortno",
        "redundant",
        "no mortgage history",
        "mortg is 1, but see the datasheet: sources disagree on codes 1 and 2",
    ),
    Column(
        "mortperf",
        "redundant",
        "no late mortgage payment",
        "mortg is 2, but see the datasheet: sources disagree on codes 1 and 2",
    ),
    Column("mortlat1", "redundant", "one or two late payments", "mortg is 3"),
    Column("mortlat2", "redundant", "more than two late payments", "mortg is 4"),
    Column("chist", "redundant", "0 if accounts delinquent by 60 days", "cons is below 5"),
    Column("multi", "redundant", "1 if two or more units", "unit is above 1"),
    Column("loanprc", "redundant", "amount over price", "loanamt / price, computed from these"),
    Column("thick", "redundant", "1 if over two credit reports", "rep is above 2"),
)

COLUMNS: Final = MappingProxyType(
    {
        column.name: column
        for column in (
            *(Column(item.column, "input", item.description) for item in INPUTS),
            *_NOT_INPUTS,
        )
    }
)

TARGET: Final = "approve"
GROUPING: Final = ("black", "hispan", "white", "male", "married")
"""Columns the fairness evaluation groups by; the model never sees them."""

MISSING_CODES: Final = MappingProxyType({"liq": 1_000_000.0, "lines": 999_999.375, "term": 999_999.375})
"""Values that stand for 'not known' in an input column."""
