"""Cloud Billing Budget: budgets of billing accounts, stored and given back."""

from infra.local.control.budgets.budgets import Budgets

__all__ = ["Budgets"]
