import numpy as np
import pytest

from app.data import COLUMNS, INPUTS, Table
from app.training.features import FEATURES, POSITION, CreditRatios


@pytest.fixture
def row(table: Table) -> np.ndarray:
    """An application with round figures."""
    values = {
        "loan_amount": 90,
        "purchase_price": 100,
        "appraised_value": 80,
        "other_financing": 2,
        "liquid_assets": 12,
        "net_worth": 45,
        "applicant_income": 2000,
        "coapplicant_income": 1000,
        "housing_expense": 600,
        "housing_ratio": 20,
        "obligation_ratio": 31,
        "consumer_history": 6,
        "mortgage_history": 4,
        "public_record": 1,
        "unverifiable_information": 0,
        "mortgage_insurance_sought": 0,
    }
    made: np.ndarray = table.inputs[0].copy()
    for name, value in values.items():
        made[POSITION[name]] = value
    return made


def features(row: np.ndarray, **changes: float) -> dict[str, float]:
    changed = row.copy()
    for name, value in changes.items():
        changed[POSITION[name]] = value
    return dict(zip(FEATURES, CreditRatios().transform(changed[None, :])[0], strict=True))


def test_ratios_are_what_their_names_say(row) -> None:
    made = features(row)
    assert made["loan_to_value"] == pytest.approx(90 / 80)
    assert made["loan_to_price"] == pytest.approx(0.9)
    assert made["appraisal_shortfall"] == pytest.approx(0.2)
    assert made["income"] == pytest.approx(3000)
    assert made["loan_to_income"] == pytest.approx(2.5)
    assert made["expense_to_income"] == pytest.approx(20)
    assert made["other_obligations"] == pytest.approx(11)
    assert made["liquidity_left"] == pytest.approx(12 - 8)
    assert made["months_of_liquidity"] == pytest.approx(20)
    assert made["net_worth_to_loan"] == pytest.approx(0.5)
    assert made["uninsured_high_loan"] == 1
    assert made["warning_signs"] == 3


def test_an_application_without_income_has_capped_ratios(row) -> None:
    made = features(row, applicant_income=0, coapplicant_income=0)
    assert made["loan_to_income"] == 20
    assert made["expense_to_income"] == 200


def test_what_is_not_known_stays_not_known(row) -> None:
    made = features(row, liquid_assets=np.nan)
    assert {name for name, value in made.items() if np.isnan(value)} == {
        "liquid_assets",
        "liquidity_left",
        "months_of_liquidity",
    }


def test_an_appraisal_at_the_price_looks_like_one_above_it(row) -> None:
    """In the table the difference between the two gives the decision away."""
    assert features(row, appraised_value=100) == features(row, appraised_value=101)


def test_no_feature_is_or_is_computed_from_an_excluded_column(table: Table) -> None:
    assert {item.column for item in INPUTS} == {
        name for name, column in COLUMNS.items() if column.role == "input"
    }
    altered = {
        name: values if COLUMNS[name].role == "input" else np.full_like(values, np.nan)
        for name, values in table.columns.items()
    }
    np.testing.assert_array_equal(Table(altered, table.digest).inputs, table.inputs)
