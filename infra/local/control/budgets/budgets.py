"""billingbudgets.v1: budgets. Nothing costs anything here, so no alert is ever sent."""

import re
import uuid

from infra.local.api import Api
from infra.local.api.discovery import Request
from infra.local.api.errors import ApiError, denied, invalid, not_found
from infra.local.control.documents import Documents, Json, check_mask, merged, new_id
from infra.local.state import Store

_ACCOUNT = re.compile(r"billingAccounts/[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}")
_FIELDS = (
    "amount", "budgetFilter", "displayName", "etag", "name", "notificationsRule", "ownershipScope",
    "spendCap", "thresholdRules",
)  # fmt: skip
_LONGEST_NAME = 60
_MOST = 1000.0  # times the amount, for a threshold


class Budgets:
    """Budgets over a store."""

    def __init__(self, store: Store) -> None:
        self._budgets = Documents(store, "budget")

    def serve(self, api: Api) -> None:
        """Answer the methods on budgets."""
        api.serve("billingbudgets.v1.billingAccounts.budgets", self)

    async def create(self, request: Request) -> Json:
        """A new budget."""
        parent = _account(request.parameters["parent"])
        return self._save(f"{parent}/budgets/{uuid.uuid4()}", request.body)

    async def get(self, request: Request) -> Json:
        """The budget."""
        return self._find(request.parameters["name"])

    async def list(self, request: Request) -> Json:
        """The budgets of an account; `scope` limits them to those about one project."""
        scope = request.parameters.get("scope", "")
        answer = self._budgets.page(_account(request.parameters["parent"]), request.parameters, "budgets")
        if scope:
            answer["budgets"] = [
                budget
                for budget in answer.get("budgets", [])
                if scope in budget.get("budgetFilter", {}).get("projects", [])
            ]
        return answer

    async def patch(self, request: Request) -> Json:
        """Change a budget by its mask, or wholly without one."""
        current, mask = self._find(request.parameters["name"]), request.parameters.get("updateMask")
        check_mask(mask, _FIELDS)
        etag = request.body.get("etag")
        if etag and etag != current["etag"]:
            raise ApiError("ABORTED", "The etag of the request is not that of the budget: read it again.")
        changed = merged(current, request.body, mask, ("name", "etag")) if mask else dict(request.body)
        return self._save(current["name"], changed)

    async def delete(self, request: Request) -> None:
        """Forget a budget."""
        self._budgets.remove(self._find(request.parameters["name"])["name"])

    def _find(self, name: str) -> Json:
        _account("/".join(name.split("/")[:2]))
        budget = self._budgets.get(name)
        if budget is None:
            raise not_found("Requested entity was not found.")
        return budget

    def _save(self, name: str, given: Json) -> Json:
        _check(given)
        budget = {**given, "name": name, "etag": new_id()}
        scope = dict(given.get("budgetFilter", {}))
        scope.setdefault("creditTypesTreatment", "INCLUDE_ALL_CREDITS")
        if "customPeriod" not in scope:
            scope.setdefault("calendarPeriod", "MONTH")
        rules = [{"spendBasis": "CURRENT_SPEND", **rule} for rule in given.get("thresholdRules", [])]
        budget["budgetFilter"] = scope
        if rules:
            budget["thresholdRules"] = rules
        return self._budgets.put(name, budget)


def _account(name: str) -> str:
    if not _ACCOUNT.fullmatch(name):
        raise denied("The caller does not have permission")
    return name


def _check(budget: Json) -> None:
    """Raise ApiError, 400, unless the budget may be."""
    violations = []
    if len(budget.get("displayName", "")) > _LONGEST_NAME:
        violations.append(("budget.display_name", f"must have at most {_LONGEST_NAME} characters"))
    amount = budget.get("amount", {})
    if ("specifiedAmount" in amount) == ("lastPeriodAmount" in amount):
        violations.append(("budget.amount", "must be either a specified amount or that of the last period"))
    if "spendCap" in budget:
        violations.append(("budget.spend_cap", "is not served by the local cloud"))
    for index, rule in enumerate(budget.get("thresholdRules", [])):
        if not 0 <= float(rule.get("thresholdPercent", -1)) <= _MOST:
            violations.append(
                (f"budget.threshold_rules[{index}].threshold_percent", f"must be between 0 and {_MOST:g}")
            )
    if violations:
        raise invalid("Request contains an invalid argument.", violations)
