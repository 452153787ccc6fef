"""Cloud Billing Budget by Google's own client."""

import pytest

from tests.integration.infra.local.documented import build, detail, refused

PARENT = "billingAccounts/012345-6789AB-CDEF01"
BUDGET = {
    "displayName": "staging",
    "budgetFilter": {"projects": ["projects/123456789012"]},
    "amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "50"}},
    "thresholdRules": [{"thresholdPercent": 0.5}, {"thresholdPercent": 1.0}],
}


@pytest.fixture
def budgets(cloud):
    with build(cloud.url, "billingbudgets", "v1") as client:
        yield client.billingAccounts().budgets()


def test_a_budget_is_created_read_changed_and_deleted(budgets):
    made = budgets.create(parent=PARENT, body=BUDGET).execute()
    assert made["name"].startswith(f"{PARENT}/budgets/")
    assert made["amount"] == BUDGET["amount"]
    assert [rule["spendBasis"] for rule in made["thresholdRules"]] == ["CURRENT_SPEND"] * 2
    assert made["budgetFilter"]["calendarPeriod"] == "MONTH"
    assert budgets.get(name=made["name"]).execute() == made
    assert budgets.list(parent=PARENT).execute() == {"budgets": [made]}
    assert budgets.list(parent=PARENT, scope="projects/1").execute() == {"budgets": []}
    change = {"amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "70"}}, "displayName": "else"}
    changed = budgets.patch(
        name=made["name"], updateMask="amount.specifiedAmount.units", body=change
    ).execute()
    assert changed["amount"]["specifiedAmount"]["units"] == "70"
    assert changed["displayName"] == "staging"
    stale = {**change, "etag": made["etag"]}
    assert refused(budgets.patch(name=made["name"], updateMask="amount", body=stale))["status"] == "ABORTED"
    budgets.delete(name=made["name"]).execute()
    assert refused(budgets.get(name=made["name"]))["code"] == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": {}}, "budget.amount"),
        ({"thresholdRules": [{"thresholdPercent": -1}]}, "budget.threshold_rules[0].threshold_percent"),
        ({"displayName": "x" * 61}, "budget.display_name"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(budgets, change, field):
    error = refused(budgets.create(parent=PARENT, body={**BUDGET, **change}))
    assert error["status"] == "INVALID_ARGUMENT"
    assert [each["field"] for each in detail(error, "BadRequest")["fieldViolations"]] == [field]


def test_an_account_that_can_be_none_is_not_let_be_seen(budgets):
    assert refused(budgets.list(parent="billingAccounts/mine"))["code"] == 403
