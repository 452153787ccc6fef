"""Policies: what no environment may have, as functions over planned resources, before every update."""

from infra.policies.enforcement import enforce
from infra.policies.planned import Planned, Violation
from infra.policies.rules import POLICIES, violations

__all__ = ["POLICIES", "Planned", "Violation", "enforce", "violations"]
