"""A month's budget, and whom Google tells when it is nearly spent."""

import pulumi
from pulumi_gcp import billing

from infra.components.site import Site
from infra.settings import Budget

THRESHOLDS = (0.5, 0.9, 1.0)
"""Shares of the budget at which the billing account's administrators are told."""


class BudgetAlert(pulumi.ComponentResource):
    """A budget for the environment's project alone."""

    def __init__(
        self,
        name: str,
        *,
        site: Site,
        account: str,
        budget: Budget,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shipway:infra:BudgetAlert", name, None, opts)
        billing.Budget(
            name,
            billing_account=account,
            display_name=f"{site.names.service} ({site.names.environment})",
            amount=billing.BudgetAmountArgs(
                specified_amount=billing.BudgetAmountSpecifiedAmountArgs(
                    currency_code=budget.currency, units=str(budget.amount)
                )
            ),
            budget_filter=billing.BudgetBudgetFilterArgs(
                projects=[pulumi.Output.concat("projects/", site.number)]
            ),
            threshold_rules=[
                billing.BudgetThresholdRuleArgs(threshold_percent=share) for share in THRESHOLDS
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
