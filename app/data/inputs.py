"""What a model may be told about an application: one entry an input, with its unit and bounds.

This is the single list that the features, the service's request schema, the monitoring and the documents
are made from. The order is the order of the columns in the model's input matrix.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "count", "code", "flag"]


@dataclass(frozen=True, slots=True)
class Input:
    """One input. ``low`` and ``high`` are inclusive and in ``unit``; an optional one may be left out."""

    name: str
    column: str
    kind: Kind
    unit: str
    low: float
    high: float
    description: str
    optional: bool = False


def _flag(name: str, column: str, description: str) -> Input:
    return Input(name, column, "flag", "true or false", 0, 1, description)


INPUTS: tuple[Input, ...] = (
    Input("loan_amount", "loanamt", "number", "thousand USD", 1, 10_000, "Amount applied for."),
    Input("purchase_price", "price", "number", "thousand USD", 5, 20_000, "Price of the property."),
    Input("appraised_value", "apr", "number", "thousand USD", 5, 20_000, "Appraised value of the property."),
    Input("other_financing", "other", "number", "thousand USD", 0, 10_000, "Money from other loans."),
    Input(
        "liquid_assets",
        "liq",
        "number",
        "thousand USD",
        0,
        100_000,
        "Cash and what is soon turned into cash; imputed when left out.",
        optional=True,
    ),
    Input("net_worth", "netw", "number", "thousand USD", -100_000, 100_000, "Assets less debts."),
    Input("applicant_income", "atotinc", "number", "USD a month", 0, 1_000_000, "Applicant's total income."),
    Input("coapplicant_income", "cototinc", "number", "USD a month", 0, 1_000_000, "Co-applicant's, or 0."),
    Input("housing_expense", "hexp", "number", "USD a month", 1, 100_000, "Proposed housing expense."),
    Input(
        "housing_ratio",
        "hrat",
        "number",
        "percent of total income",
        0,
        300,
        "Housing expense, as stated in the loan file.",
    ),
    Input(
        "obligation_ratio",
        "obrat",
        "number",
        "percent of total income",
        0,
        300,
        "All obligations, as stated in the loan file.",
    ),
    Input(
        "term_months",
        "term",
        "count",
        "months",
        1,
        600,
        "Term of the loan; imputed when left out.",
        optional=True,
    ),
    _flag("adjustable_rate", "fixadj", "The file's code for fixed (false) or adjustable (true) rate."),
    Input(
        "units",
        "unit",
        "count",
        "dwellings",
        1,
        4,
        "Dwellings in the property; imputed when left out.",
        optional=True,
    ),
    Input(
        "property_type",
        "prop",
        "code",
        "1-3",
        1,
        3,
        "1 condominium, 2 single family, 3 two to four families.",
    ),
    Input("occupancy", "occ", "code", "1-3", 1, 3, "1 owner-occupied, 2 not owner-occupied, 3 not known."),
    _flag("self_employed", "self", "The applicant is self-employed."),
    Input(
        "industry_unemployment",
        "unem",
        "number",
        "percent",
        0,
        100,
        "Unemployment rate of the applicant's industry.",
    ),
    Input(
        "credit_reports",
        "rep",
        "count",
        "reports",
        0,
        50,
        "Credit reports in the loan file; imputed when left out.",
        optional=True,
    ),
    Input(
        "credit_lines",
        "lines",
        "count",
        "lines",
        0,
        500,
        "Credit lines on those reports; imputed when left out.",
        optional=True,
    ),
    Input(
        "mortgage_history",
        "mortg",
        "code",
        "1-4",
        1,
        4,
        "1 no late payment, 2 no history, 3 one or two late payments, 4 more than two.",
    ),
    Input(
        "consumer_history",
        "cons",
        "code",
        "1-6",
        1,
        6,
        "1 no slow payment, 2 one or two, 3 more than two, 4 too little history to say, "
        "5 delinquent by 60 days, 6 by 90 days.",
    ),
    _flag("public_record", "pubrec", "A bankruptcy or other public record of credit problems."),
    _flag("mortgage_insurance_sought", "inss", "Private mortgage insurance was applied for."),
    _flag("gift_down_payment", "gift", "Part of the down payment is a gift."),
    _flag("cosigner", "cosign", "Somebody co-signs the application."),
    _flag("unverifiable_information", "unver", "Something stated could not be verified."),
)
